;; Makes rows of CSV of a binary COPY (copy-cells.wat, csv-text.wat). The text of NULL stands behind the kinds of columns.

;; Every character of a text may be a quote.
(global $expansion i32 (i32.const 2))

;; Whether values that are no text could hold the delimiter, or be taken for NULL.
(global $mayNeedQuotes (export "mayNeedQuotes") (mut i32) (i32.const 0))
;; Where the cell begins; 0 where it is text.
(global $start (mut i32) (i32.const 0))

(func $head (param $column i32) (param $out i32) (result i32)
  (i32.store8 (local.get $out) (global.get $delimiter))
  (global.set $start (i32.add (local.get $out) (i32.ne (local.get $column) (i32.const 0))))
  (global.get $start))

(func $tail (export "tail") (param $column i32) (param $out i32) (result i32)
  (if (i32.and (global.get $mayNeedQuotes) (i32.ne (global.get $start) (i32.const 0)))
    (then (if (call $needsQuotes (local.get $out)) (then (return (call $quoted (local.get $out)))))))
  (local.get $out))

;; Whether the cell up to $out, which has no quotes and no line ends, needs some around it.
(func $needsQuotes (param $out i32) (result i32)
  (local $at i32)
  (local.set $at (global.get $start))
  (if (i32.eq (i32.sub (local.get $out) (local.get $at)) (global.get $nullLength))
    (then (if (call $isNull (local.get $at)) (then (return (i32.const 1))))))
  (block $done
    (loop $next
      (br_if $done (i32.eq (local.get $at) (local.get $out)))
      (if (i32.eq (i32.load8_u (local.get $at)) (global.get $delimiter)) (then (return (i32.const 1))))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (br $next)))
  (i32.const 0))

(func $quoted (param $out i32) (result i32)
  (memory.copy
    (i32.add (global.get $start) (i32.const 1))
    (global.get $start)
    (i32.sub (local.get $out) (global.get $start)))
  (i32.store8 (global.get $start) (i32.const 34))
  (i32.store8 offset=1 (local.get $out) (i32.const 34))
  (i32.add (local.get $out) (i32.const 2)))

(func $null (param $column i32) (param $out i32) (result i32)
  (memory.copy (local.get $out) (global.get $nullAt) (global.get $nullLength))
  (i32.add (local.get $out) (global.get $nullLength)))

(func $cellText (param $column i32) (param $at i32) (param $length i32) (param $out i32) (result i32)
  (global.set $start (i32.const 0))
  (call $text (local.get $at) (local.get $length) (local.get $out)))

(func $endRow (param $out i32) (result i32)
  (i32.store8 (local.get $out) (i32.const 10))
  (i32.add (local.get $out) (i32.const 1)))
