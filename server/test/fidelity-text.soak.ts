import './fidelity-text.test.ts';
