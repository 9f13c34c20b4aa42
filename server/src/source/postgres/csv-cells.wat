;; Makes rows of CSV of a binary COPY (copy-cells.wat, csv-text.wat). The text of NULL stands behind the kinds of columns.

;; Every character of a text may be a quote.
(global $expansion i32 (i32.const 2))

(func $head (param $column i32) (param $out i32) (result i32)
  (i32.store8 (local.get $out) (global.get $delimiter))
  (i32.add (local.get $out) (i32.ne (local.get $column) (i32.const 0))))

(func $tail (export "tail") (param $column i32) (param $out i32) (result i32)
  (local.get $out))

(func $null (param $column i32) (param $out i32) (result i32)
  (memory.copy (local.get $out) (global.get $nullAt) (global.get $nullLength))
  (i32.add (local.get $out) (global.get $nullLength)))

(func $cellText (param $column i32) (param $at i32) (param $length i32) (param $out i32) (result i32)
  (call $text (local.get $at) (local.get $length) (local.get $out)))

(func $endRow (param $out i32) (result i32)
  (i32.store8 (local.get $out) (i32.const 10))
  (i32.add (local.get $out) (i32.const 1)))
