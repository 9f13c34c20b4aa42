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

;; Text as within the quotes of a string.
(func $string (param $at i32) (param $length i32) (param $out i32) (result i32)
  (local $bytes v128) (local $found i32)
  (loop $next
    (if (i32.eqz (local.get $length)) (then (return (local.get $out))))
    (local.set $bytes (v128.load (local.get $at)))
    (v128.store (local.get $out) (local.get $bytes))
    (local.set $found
      (i32.ctz
        (i32.or
          (i8x16.bitmask
            (v128.or
              (i8x16.lt_u (local.get $bytes) (v128.const i8x16 32 32 32 32 32 32 32 32 32 32 32 32 32 32 32 32))
              (v128.or
                (i8x16.eq (local.get $bytes) (v128.const i8x16 92 92 92 92 92 92 92 92 92 92 92 92 92 92 92 92))
                (i8x16.eq (local.get $bytes) (v128.const i8x16 34 34 34 34 34 34 34 34 34 34 34 34 34 34 34 34)))))
          (i32.const 65536))))
    (if (i32.ge_u (local.get $found) (local.get $length))
      (then (return (i32.add (local.get $out) (local.get $length)))))
    (local.set $at (i32.add (local.get $at) (local.get $found)))
    (local.set $out (i32.add (local.get $out) (local.get $found)))
    (local.set $length (i32.sub (local.get $length) (local.get $found)))
    (br_if $next (i32.eq (local.get $found) (i32.const 16)))
    (local.set $out (call $escape (i32.load8_u (local.get $at)) (local.get $out)))
    (local.set $at (i32.add (local.get $at) (i32.const 1)))
    (local.set $length (i32.sub (local.get $length) (i32.const 1)))
    (br $next))
  (unreachable))

;; A quote, a backslash or a control character.
(func $escape (param $byte i32) (param $out i32) (result i32)
  (local $letter i32)
  (local.set $letter
    (if (result i32) (i32.ge_u (local.get $byte) (i32.const 32))
      (then (local.get $byte))
      (else (call $letterOf (local.get $byte)))))
  (i32.store8 (local.get $out) (i32.const 92))
  (i32.store8 offset=1 (local.get $out) (local.get $letter))
  (if (local.get $letter) (then (return (i32.add (local.get $out) (i32.const 2)))))
  ;; `u00` and two digits.
  (i32.store offset=1 (local.get $out) (i32.const 0x303075))
  (i32.store8 offset=4 (local.get $out) (i32.add (i32.shr_u (local.get $byte) (i32.const 4)) (i32.const 48)))
  (local.set $byte (i32.and (local.get $byte) (i32.const 15)))
  (i32.store8 offset=5
    (local.get $out)
    (i32.add (local.get $byte) (select (i32.const 55) (i32.const 48) (i32.gt_u (local.get $byte) (i32.const 9)))))
  (i32.add (local.get $out) (i32.const 6)))

;; The letter of a control character that has one, from 8 on `btn`, none, `fr`; else 0.
(func $letterOf (param $byte i32) (result i32)
  (local.set $byte (i32.sub (local.get $byte) (i32.const 8)))
  (if (i32.ge_u (local.get $byte) (i32.const 6)) (then (return (i32.const 0))))
  (i32.wrap_i64
    (i64.and
      (i64.shr_u (i64.const 0x7266006e7462) (i64.extend_i32_u (i32.shl (local.get $byte) (i32.const 3))))
      (i64.const 255))))

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
