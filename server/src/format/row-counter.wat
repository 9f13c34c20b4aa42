;; Counts row ends (newlines outside quotes) in the $length bytes at $at, 64 bytes a step.
;;
;; A bit mask of the quotes in 64 bytes, xor-ed with itself shifted by 1, 2, 4 ... 32 bits, has a bit set for every
;; byte that stands after an odd number of quotes. Simdjson finds its strings so: https://arxiv.org/abs/1902.08318
(module
  ;; That in which the text stands, with room behind it: the last step reads up to 63 bytes past its end.
  (memory (import "memory" "memory") 1)

  ;; One bit for each of the 64 bytes at $at, set where it equals $byte.
  (func $find (param $at i32) (param $byte v128) (result i64)
    (i64.or
      (i64.or
        (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (v128.load (local.get $at)) (local.get $byte))))
        (i64.shl
          (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (v128.load offset=16 (local.get $at)) (local.get $byte))))
          (i64.const 16)))
      (i64.or
        (i64.shl
          (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (v128.load offset=32 (local.get $at)) (local.get $byte))))
          (i64.const 32))
        (i64.shl
          (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (v128.load offset=48 (local.get $at)) (local.get $byte))))
          (i64.const 48)))))

  ;; $quoteAware and $inside are 0 or 1; $inside says whether the text before ended inside quotes.
  ;; The result is rows << 1 | inside: at most 2^20 rows fit.
  (func (export "count") (param $at i32) (param $length i32) (param $quoteAware i32) (param $inside i32) (result i32)
    (local $rows i64)
    (local $quotes i64)
    (local $newlines i64)
    (local $valid i64)
    (local $quoteMask i64)
    (local $carry i64)
    ;; All ones when quotes count, and when the text before ended inside them.
    (local.set $quoteMask (i64.sub (i64.const 0) (i64.extend_i32_u (local.get $quoteAware))))
    (local.set $carry (i64.sub (i64.const 0) (i64.extend_i32_u (local.get $inside))))
    (block $done
      (loop $next
        (br_if $done (i32.le_s (local.get $length) (i32.const 0)))
        ;; Bits of bytes past the end are cleared.
        (local.set $valid (i64.const -1))
        (if (i32.lt_s (local.get $length) (i32.const 64))
          (then
            (local.set $valid
              (i64.sub (i64.shl (i64.const 1) (i64.extend_i32_u (local.get $length))) (i64.const 1)))))
        (local.set $newlines
          (i64.and
            (call $find (local.get $at) (v128.const i8x16 10 10 10 10 10 10 10 10 10 10 10 10 10 10 10 10))
            (local.get $valid)))
        (local.set $quotes
          (i64.and
            (i64.and
              (call $find (local.get $at) (v128.const i8x16 34 34 34 34 34 34 34 34 34 34 34 34 34 34 34 34))
              (local.get $valid))
            (local.get $quoteMask)))
        (local.set $quotes (i64.xor (local.get $quotes) (i64.shl (local.get $quotes) (i64.const 1))))
        (local.set $quotes (i64.xor (local.get $quotes) (i64.shl (local.get $quotes) (i64.const 2))))
        (local.set $quotes (i64.xor (local.get $quotes) (i64.shl (local.get $quotes) (i64.const 4))))
        (local.set $quotes (i64.xor (local.get $quotes) (i64.shl (local.get $quotes) (i64.const 8))))
        (local.set $quotes (i64.xor (local.get $quotes) (i64.shl (local.get $quotes) (i64.const 16))))
        (local.set $quotes (i64.xor (local.get $quotes) (i64.shl (local.get $quotes) (i64.const 32))))
        (local.set $quotes (i64.xor (local.get $quotes) (local.get $carry)))
        (local.set $carry (i64.shr_s (local.get $quotes) (i64.const 63)))
        (local.set $rows
          (i64.add
            (local.get $rows)
            (i64.popcnt (i64.and (local.get $newlines) (i64.xor (local.get $quotes) (i64.const -1))))))
        (local.set $at (i32.add (local.get $at) (i32.const 64)))
        (local.set $length (i32.sub (local.get $length) (i32.const 64)))
        (br $next)))
    (i32.or
      (i32.shl (i32.wrap_i64 (local.get $rows)) (i32.const 1))
      (i32.and (i32.wrap_i64 (local.get $carry)) (i32.const 1)))))
