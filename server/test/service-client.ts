import assert from 'node:assert/strict';
import { ask, type ServiceYard } from './service-process.ts';

export interface JobRequest {
  readonly tenant: string;
  readonly body: object;
}

/** A job that was asked for, and what came of it. */
export interface Asked {
  readonly key: string;
  readonly request: JobRequest;
  /** Null while no 202 arrived. */
  job: string | null;
  run: string | null;
}

/** Creates jobs with an Idempotency-Key each and remembers which it was promised. */
export class JobClient {
  readonly asked: Asked[] = [];
  readonly #yard: ServiceYard;

  constructor(yard: ServiceYard) {
    this.#yard = yard;
  }

  /** Rejects when the answer is lost; the job may have been made or not. */
  async create(url: string, request: JobRequest): Promise<void> {
    const asked: Asked = { key: `job-${this.asked.length}`, request, job: null, run: null };
    this.asked.push(asked);
    await send(url, asked);
  }

  /** Asks again for what no answer came to, and once more for the last that was answered: it must be the same job. */
  async repeatLost(url: string): Promise<void> {
    const answered = this.asked.findLast(({ job }) => job !== null);
    for (const asked of this.asked) if (asked.job === null || asked === answered) await send(url, asked);
  }

  /** Runs that were accepted and are not final. */
  unfinished(): number {
    const rows = this.#yard.rows(`select count(*) as n from runs where state in ('queued', 'running', 'committing')`);
    return Number(rows[0]?.n);
  }
}

async function send(url: string, asked: Asked): Promise<void> {
  const { request, key } = asked;
  const { status, json } = await ask(url, 'POST /v1/jobs', { ...request, idempotencyKey: key });
  assert.equal(status, 202, JSON.stringify(json));
  assert.equal(json.id, asked.job ?? json.id, 'one key made two jobs');
  assert.equal(json.run.id, asked.run ?? json.run.id, 'one key made two runs');
  asked.job = json.id;
  asked.run = json.run.id;
}
