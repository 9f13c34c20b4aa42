import type { Command } from './command.ts';
export const demo: Command = { name: 'demo', summary: 'x', help: '', async run() { return 1; } };
