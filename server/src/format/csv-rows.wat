;; Rows of CSV: with vector-rows.wat and csv-text.wat a module.

(global $point (export "point") (mut i32) (i32.const 46))
;; One byte or two, the first one lowest.
(global $lineEnd (export "lineEnd") (mut i32) (i32.const 10))
(global $lineEndLength (export "lineEndLength") (mut i32) (i32.const 1))

(func $head (param $column i32) (param $out i32) (result i32)
  (i32.store8 (local.get $out) (global.get $delimiter))
  (i32.add (local.get $out) (i32.ne (local.get $column) (i32.const 0))))

(func $null (param $column i32) (param $out i32) (result i32)
  (local.set $out (call $head (local.get $column) (local.get $out)))
  (call $copy (global.get $nullAt) (global.get $nullLength) (local.get $out)))

(func $endRow (param $out i32) (result i32)
  (i32.store16 (local.get $out) (global.get $lineEnd))
  (i32.add (local.get $out) (global.get $lineEndLength)))
