import type { Problem } from '@drayage/sdk/wire';
import { type FaultCode, kindOf } from '../../base/errors.ts';
import type { Refusal, RefusalAsk } from '../dialect.ts';
import { STATUS_CODES } from '../node-http.ts';
import { jsonRefusal } from '../refusal.ts';

/** Codes whose answers say when to ask again although the fault does not. */
const RETRY_AFTER_S: Partial<Record<FaultCode, number>> = {
  'source.unreachable': 30,
  'disk.low': 60,
  maintenance: 60,
};

/** Problem details by RFC 9457, with the fault's code and the pointer of the field. */
export function refuse({ fault, requestId, part }: RefusalAsk): Refusal {
  const { status } = kindOf(fault.code);
  const body: Problem = {
    type: 'about:blank',
    title: STATUS_CODES[status] ?? 'Error',
    status,
    detail: fault.message,
    code: fault.code,
    ...(fault.pointer === undefined ? {} : { pointer: fault.pointer, in: part }),
    requestId,
  };
  return jsonRefusal({
    status,
    body,
    fault,
    retryAfterS: RETRY_AFTER_S[fault.code],
    challenge: 'Bearer',
    headers: { 'content-type': 'application/problem+json; charset=utf-8' },
  });
}
