import './fidelity.test.ts';
