import './drain.test.ts';
