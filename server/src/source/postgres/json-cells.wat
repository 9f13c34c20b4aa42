;; Makes lines of JSON of a binary COPY (copy-cells.wat). `json-cells.ts` puts here: from 5952 the forms of columns, one byte
;; each: 0 bare, 1 in quotes, 2 JSON; from 7552 the places of heads, the first one's start and then each one's end, 4 bytes
;; each; from 13968 the heads, as `{"name":` or `,"name":"`.

;; What a line ends with, and its length.
(global $close (export "close") (mut i32) (i32.const 0))
(global $closeBytes (export "closeBytes") (mut i32) (i32.const 0))

;; A control character becomes six.
(global $expansion i32 (i32.const 6))

(func $form (param $column i32) (result i32)
  (i32.load8_u offset=5952 (local.get $column)))

(func $isQuoted (param $column i32) (result i32)
  (i32.eq (call $form (local.get $column)) (i32.const 1)))

(func $head (param $column i32) (param $out i32) (result i32)
  (local $from i32) (local $length i32) (local $done i32)
  (local.set $from (i32.load offset=7552 (i32.shl (local.get $column) (i32.const 2))))
  (local.set $length
    (i32.sub (i32.load offset=7556 (i32.shl (local.get $column) (i32.const 2))) (local.get $from)))
  (loop $next
    (v128.store
      (i32.add (local.get $out) (local.get $done))
      (v128.load (i32.add (local.get $from) (local.get $done))))
    (br_if $next (i32.lt_u (local.tee $done (i32.add (local.get $done) (i32.const 16))) (local.get $length))))
  (i32.add (local.get $out) (local.get $length)))

(func $tail (export "tail") (param $column i32) (param $out i32) (result i32)
  (i32.store8 (local.get $out) (i32.const 34))
  (i32.add (local.get $out) (call $isQuoted (local.get $column))))

;; Over the quote that the head ends with, if there is one.
(func $null (param $column i32) (param $out i32) (result i32)
  (local.set $out (i32.sub (local.get $out) (call $isQuoted (local.get $column))))
  (i32.store (local.get $out) (i32.const 0x6c6c756e))
  (i32.add (local.get $out) (i32.const 4)))

(func $cellText (param $column i32) (param $at i32) (param $length i32) (param $out i32) (result i32)
  (if (i32.eq (call $form (local.get $column)) (i32.const 2))
    (then (return (call $json (local.get $at) (local.get $length) (local.get $out)))))
  (call $string (local.get $at) (local.get $length) (local.get $out)))

(func $endRow (param $out i32) (result i32)
  (i32.store (local.get $out) (global.get $close))
  (i32.add (local.get $out) (global.get $closeBytes)))

;; JSON whose line ends become spaces. Other control characters than those and tabs stand in none.
(func $json (param $at i32) (param $length i32) (param $out i32) (result i32)
  (local $bytes v128) (local $ends v128) (local $done i32) (local $others i32)
  (block $done
    (loop $next
      (br_if $done (i32.ge_u (local.get $done) (local.get $length)))
      (local.set $bytes (v128.load (i32.add (local.get $at) (local.get $done))))
      (local.set $ends
        (v128.or
          (i8x16.eq (local.get $bytes) (v128.const i8x16 10 10 10 10 10 10 10 10 10 10 10 10 10 10 10 10))
          (i8x16.eq (local.get $bytes) (v128.const i8x16 13 13 13 13 13 13 13 13 13 13 13 13 13 13 13 13))))
      (v128.store
        (i32.add (local.get $out) (local.get $done))
        (v128.bitselect
          (v128.const i8x16 32 32 32 32 32 32 32 32 32 32 32 32 32 32 32 32)
          (local.get $bytes)
          (local.get $ends)))
      (local.set $others
        (i8x16.bitmask
          (v128.andnot
            (i8x16.lt_u (local.get $bytes) (v128.const i8x16 32 32 32 32 32 32 32 32 32 32 32 32 32 32 32 32))
            (v128.or
              (local.get $ends)
              (i8x16.eq (local.get $bytes) (v128.const i8x16 9 9 9 9 9 9 9 9 9 9 9 9 9 9 9 9))))))
      ;; Those behind the text do not count.
      (call $must
        (i32.or
          (i32.eqz (local.get $others))
          (i32.ge_u (i32.ctz (local.get $others)) (i32.sub (local.get $length) (local.get $done)))))
      (local.set $done (i32.add (local.get $done) (i32.const 16)))
      (br $next)))
  (i32.add (local.get $out) (local.get $length)))
