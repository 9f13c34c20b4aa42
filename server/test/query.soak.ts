import './query.test.ts';
