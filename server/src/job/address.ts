import { z } from 'zod';

/** The longest that fits the path of an SMTP command (RFC 5321 §4.5.3.1.3). */
const MAX_LENGTH = 254;

const FORM = `Allowed is one e-mail address of up to ${MAX_LENGTH} characters, as name@example.com`;

/** One e-mail address without a display name. Nothing in it can end a header or begin another address. */
export const emailAddress = z.email({ pattern: z.regexes.html5Email, error: FORM }).max(MAX_LENGTH, FORM);
