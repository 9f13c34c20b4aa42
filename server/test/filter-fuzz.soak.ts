import './filter-fuzz.test.ts';
