import type { Right } from '../tenant/principal.ts';

interface DemoKey {
  readonly key: string;
  /** Of those that a vendor's answers show; left out, the next one. */
  readonly id?: number;
  readonly tenants: readonly string[];
  readonly tier: string;
  readonly dialects: readonly string[];
  /** Left out, all. */
  readonly rights?: readonly Right[];
}

const NATIVE = ['native'];
const SHOAL = ['shoal'];
const USERPILOT = ['userpilot'];
const BATCH = ['batch'];
const IRONCLAD = ['ironclad'];

/** Known to everybody, so the demo listens on this machine alone and no other command makes them. */
export const DEMO_KEYS: readonly DemoKey[] = [
  { key: 'dk_demo_acme', tenants: ['acme'], tier: 'enterprise', dialects: NATIVE },
  { key: 'dk_demo_globex', tenants: ['globex'], tier: 'enterprise', dialects: NATIVE },
  { key: 'dk_demo_free', tenants: ['tiny'], tier: 'free', dialects: NATIVE },
  { key: 'shoal_demo_enterprise', id: 17, tenants: ['app_user_demo'], tier: 'enterprise', dialects: SHOAL },
  { key: 'shoal_demo_enterprise_2', id: 18, tenants: ['app_user_demo'], tier: 'enterprise', dialects: SHOAL },
  { key: 'shoal_demo_growth', id: 19, tenants: ['app_user_growth'], tier: 'growth', dialects: SHOAL },
  { key: 'shoal_demo_other', id: 20, tenants: ['app_user_other'], tier: 'enterprise', dialects: SHOAL },
  { key: 'userpilot_demo', tenants: ['NX-DEMO0001'], tier: 'enterprise', dialects: USERPILOT },
  { key: 'userpilot_demo_2', tenants: ['NX-DEMO0002'], tier: 'enterprise', dialects: USERPILOT },
  { key: 'userpilot_demo_starter', tenants: ['NX-DEMO0003'], tier: 'starter', dialects: USERPILOT },
  { key: 'batch_rest_demo', tenants: ['BATCHDEMO', 'DEVBATCHDEMO'], tier: 'enterprise', dialects: BATCH },
  { key: 'batch_rest_demo_2', tenants: ['BATCHDEMO2'], tier: 'enterprise', dialects: BATCH },
  { key: 'batch_rest_basic', tenants: ['BATCHBASIC'], tier: 'basic', dialects: BATCH },
  { key: 'ironclad_demo', tenants: ['1'], tier: 'enterprise', dialects: IRONCLAD },
  { key: 'ironclad_demo_other', tenants: ['2'], tier: 'enterprise', dialects: IRONCLAD },
  { key: 'ironclad_demo_none', tenants: ['1'], tier: 'enterprise', dialects: IRONCLAD, rights: [] },
];
