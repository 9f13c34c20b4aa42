import './gzip.test.ts';
