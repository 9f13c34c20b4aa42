;; Rows of JSON: with vector-rows.wat and json-text.wat a module. `json-rows.ts` puts at $members four numbers a column: where
;; the member's name stands with what is around it, its length, whether values are strings, and nothing.

(global $point i32 (i32.const 46))
(global $members (export "members") (mut i32) (i32.const 0))
;; What a row ends with, and its length.
(global $close (export "close") (mut i32) (i32.const 0))
(global $closeLength (export "closeLength") (mut i32) (i32.const 0))
;; Whether the cell that is written is a string, whose last quote comes with what is next.
(global $isString (mut i32) (i32.const 0))

(func $head (param $column i32) (param $out i32) (result i32)
  (local.set $out (call $name (local.get $column) (local.get $out)))
  (global.set $isString (i32.load offset=8 (call $member (local.get $column))))
  (i32.store8 (local.get $out) (i32.const 34))
  (i32.add (local.get $out) (global.get $isString)))

(func $null (param $column i32) (param $out i32) (result i32)
  (local.set $out (call $name (local.get $column) (local.get $out)))
  (i32.store (local.get $out) (i32.const 0x6c6c756e))
  (i32.add (local.get $out) (i32.const 4)))

(func $endRow (param $out i32) (result i32)
  (local.set $out (call $endCell (local.get $out)))
  (i32.store (local.get $out) (global.get $close))
  (i32.add (local.get $out) (global.get $closeLength)))

(func $member (param $column i32) (result i32)
  (i32.add (global.get $members) (i32.shl (local.get $column) (i32.const 4))))

(func $name (param $column i32) (param $out i32) (result i32)
  (local $member i32)
  (local.set $member (call $member (local.get $column)))
  (call $copy
    (i32.load (local.get $member))
    (i32.load offset=4 (local.get $member))
    (call $endCell (local.get $out))))

(func $endCell (param $out i32) (result i32)
  (i32.store8 (local.get $out) (i32.const 34))
  (local.set $out (i32.add (local.get $out) (global.get $isString)))
  (global.set $isString (i32.const 0))
  (local.get $out))

;; A string's text, or JSON as it is.
(func $text (param $at i32) (param $length i32) (param $out i32) (result i32)
  (if (result i32) (global.get $isString)
    (then (call $string (local.get $at) (local.get $length) (local.get $out)))
    (else (call $copy (local.get $at) (local.get $length) (local.get $out)))))
