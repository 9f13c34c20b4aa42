;; Cells of CSV: part of a module, which has from 256 on what `csv-text.ts` puts there: for each pattern of quotes
;; among eight bytes, the lowest bit for the first one, the 16 bytes of a swizzle that doubles them.
;;
;; Sixteen bytes are read and written at a time, past the end of what counts: every region has room behind it.

(global $delimiter (export "delimiter") (mut i32) (i32.const 44))
;; Where the text of NULL stands.
(global $nullAt (export "nullAt") (mut i32) (i32.const 0))
(global $nullLength (export "nullLength") (mut i32) (i32.const 0))

;; Text, in quotes where it holds a quote, a delimiter or a line end, or could be taken for NULL; and `\.`, which ends a
;; file for PostgreSQL before 17 where it stands alone in a line.
(func $text (param $at i32) (param $length i32) (param $out i32) (result i32)
  (local $done i32) (local $bytes v128) (local $found i32) (local $delimiters v128)
  (block $quoted
    (if (i32.eq (local.get $length) (global.get $nullLength))
      (then (br_if $quoted (call $isNull (local.get $at)))))
    (if (i32.eqz (local.get $length)) (then (return (local.get $out))))
    (if (i32.eq (local.get $length) (i32.const 2))
      (then (br_if $quoted (i32.eq (i32.load16_u (local.get $at)) (i32.const 0x2e5c)))))
    (local.set $delimiters (i8x16.splat (global.get $delimiter)))
    (loop $next
      (local.set $bytes (v128.load (i32.add (local.get $at) (local.get $done))))
      (v128.store (i32.add (local.get $out) (local.get $done)) (local.get $bytes))
      (local.set $found
        (i8x16.bitmask
          (v128.or
            (v128.or
              (i8x16.eq (local.get $bytes) (v128.const i8x16 34 34 34 34 34 34 34 34 34 34 34 34 34 34 34 34))
              (i8x16.eq (local.get $bytes) (local.get $delimiters)))
            (v128.or
              (i8x16.eq (local.get $bytes) (v128.const i8x16 10 10 10 10 10 10 10 10 10 10 10 10 10 10 10 10))
              (i8x16.eq (local.get $bytes) (v128.const i8x16 13 13 13 13 13 13 13 13 13 13 13 13 13 13 13 13))))))
      (local.set $done (i32.add (local.get $done) (i32.const 16)))
      (if (i32.lt_u (local.get $done) (local.get $length))
        (then
          (br_if $next (i32.eqz (local.get $found)))
          (br $quoted)))
      ;; Bits of bytes behind the text do not count.
      (br_if $quoted
        (i32.shl (local.get $found) (i32.add (i32.sub (local.get $done) (local.get $length)) (i32.const 16))))
      (return (i32.add (local.get $out) (local.get $length)))))
  (call $inQuotes (local.get $at) (local.get $length) (local.get $out)))

;; Whether the text there, as long as that of NULL, is the same.
(func $isNull (param $at i32) (result i32)
  (local $done i32)
  (loop $next
    (if (i32.eq (local.get $done) (global.get $nullLength)) (then (return (i32.const 1))))
    (if (i32.ne
          (i32.load8_u (i32.add (local.get $at) (local.get $done)))
          (i32.load8_u (i32.add (global.get $nullAt) (local.get $done))))
      (then (return (i32.const 0))))
    (local.set $done (i32.add (local.get $done) (i32.const 1)))
    (br $next))
  (unreachable))

(func $inQuotes (param $at i32) (param $length i32) (param $out i32) (result i32)
  (local $bytes v128) (local $found i32)
  (i32.store8 (local.get $out) (i32.const 34))
  (local.set $out (i32.add (local.get $out) (i32.const 1)))
  (block $done
    (loop $next
      (br_if $done (i32.eqz (local.get $length)))
      (local.set $bytes (v128.load (local.get $at)))
      (local.set $found
        (i8x16.bitmask
          (i8x16.eq (local.get $bytes) (v128.const i8x16 34 34 34 34 34 34 34 34 34 34 34 34 34 34 34 34))))
      (if (i32.lt_u (local.get $length) (i32.const 16))
        (then
          ;; Quotes behind the text do not count, and what else stands there is written over.
          (local.set $found
            (i32.and
              (local.get $found)
              (i32.sub (i32.shl (i32.const 1) (local.get $length)) (i32.const 1))))
          (local.set $out
            (i32.sub
              (call $doubled (local.get $bytes) (local.get $found) (local.get $out))
              (i32.sub (i32.const 16) (local.get $length))))
          (br $done)))
      (local.set $out (call $doubled (local.get $bytes) (local.get $found) (local.get $out)))
      (local.set $at (i32.add (local.get $at) (i32.const 16)))
      (local.set $length (i32.sub (local.get $length) (i32.const 16)))
      (br $next)))
  (i32.store8 (local.get $out) (i32.const 34))
  (i32.add (local.get $out) (i32.const 1)))

;; Sixteen bytes with those doubled that have a bit.
(func $doubled (param $bytes v128) (param $found i32) (param $out i32) (result i32)
  (v128.store
    (local.get $out)
    (i8x16.swizzle
      (local.get $bytes)
      (v128.load offset=256 (i32.shl (i32.and (local.get $found) (i32.const 255)) (i32.const 4)))))
  (v128.store
    (i32.add
      (i32.add (local.get $out) (i32.const 8))
      (i32.popcnt (i32.and (local.get $found) (i32.const 255))))
    (i8x16.swizzle
      (i8x16.shuffle 8 9 10 11 12 13 14 15 8 9 10 11 12 13 14 15 (local.get $bytes) (local.get $bytes))
      (v128.load offset=256 (i32.shl (i32.shr_u (local.get $found) (i32.const 8)) (i32.const 4)))))
  (i32.add (i32.add (local.get $out) (i32.const 16)) (i32.popcnt (local.get $found))))
