;; Strings of JSON: part of a module, as WebAssembly functions that write at $out and give where the next byte goes.
;; Sixteen bytes are read and written at a time, past the end of what counts.

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
