import { Runs } from '../run/queries.ts';
import { RUN_STATES, type RunState } from '../run/run.ts';
import { Tenants } from '../tenant/queries.ts';
import { type Command, readArgs, UsageError } from './command.ts';
import { printRows, withStore } from './store.ts';

const DEFAULT_COUNT = 20;

export const runs: Command = {
  help: `Usage: drayage runs [--tenant NAME] [--state STATE] [--count N] [--json]

The newest run of each job, newest first (default: ${DEFAULT_COUNT}). States: ${RUN_STATES.join(', ')}.
`,

  async run(args) {
    const options = {
      tenant: { type: 'string' },
      state: { type: 'string' },
      count: { type: 'string' },
      json: { type: 'boolean' },
    } as const;
    const { values } = readArgs({ args: [...args], options });
    const limit = values.count === undefined ? DEFAULT_COUNT : Number(values.count);
    if (!Number.isInteger(limit) || limit < 1 || limit > 1000) throw new UsageError('--count takes 1 to 1000.');
    const found = await withStore(async (db) => {
      const known = (await new Tenants(db).listTenants()).map(({ id }) => id);
      const tenants = values.tenant === undefined ? known : [values.tenant];
      const state = values.state === undefined ? {} : { state: readState(values.state) };
      return new Runs(db).jobs({ tenants, limit, ...state });
    });
    printRows(
      found.map(({ job, run }) => ({
        run: run.id,
        tenant: run.tenant,
        dataset: job.ask.dataset,
        state: run.state,
        attempt: run.attempt,
        rows: run.rowsWritten ?? run.progress.rows,
        createdAt: run.createdAt,
        finishedAt: run.finishedAt,
        error: run.error?.code ?? null,
      })),
      values.json ?? false,
    );
    return 0;
  },
};

function readState(text: string): RunState {
  const state = RUN_STATES.find((each) => each === text);
  if (!state) throw new UsageError(`There is no state ${text}; there are ${RUN_STATES.join(', ')}.`);
  return state;
}
