import './fidelity-postgres.test.ts';
