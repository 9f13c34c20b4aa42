;; Texts of values: part of a module, as WebAssembly functions that write at $out and give where the next byte goes.
;; Up to 16 bytes are written past the end of what counts.

;; Eight digits of $n, below 10^8, as the numbers 0 to 9, the first one in the lowest byte.
(func $digits (param $n i32) (result i64)
  (local $high i32) (local $fours i64) (local $twos i64) (local $ones i64)
  (local.set $high (i32.div_u (local.get $n) (i32.const 10000)))
  (local.set $fours
    (i64.or
      (i64.extend_i32_u (local.get $high))
      (i64.shl
        (i64.extend_i32_u (i32.sub (local.get $n) (i32.mul (local.get $high) (i32.const 10000))))
        (i64.const 32))))
  ;; 10486 / 2^20 is a hundredth for four digits, and 103 / 2^10 a tenth for two.
  (local.set $twos
    (i64.and
      (i64.shr_u (i64.mul (local.get $fours) (i64.const 10486)) (i64.const 20))
      (i64.const 0x0000007f0000007f)))
  (local.set $twos
    (i64.add
      (local.get $twos)
      (i64.shl (i64.sub (local.get $fours) (i64.mul (local.get $twos) (i64.const 100))) (i64.const 16))))
  (local.set $ones
    (i64.and (i64.shr_u (i64.mul (local.get $twos) (i64.const 103)) (i64.const 10)) (i64.const 0x000f000f000f000f)))
  (i64.add
    (local.get $ones)
    (i64.shl (i64.sub (local.get $twos) (i64.mul (local.get $ones) (i64.const 10))) (i64.const 8))))

(func $ascii (param $digits i64) (result i64)
  (i64.add (local.get $digits) (i64.const 0x3030303030303030)))

;; An unsigned number without leading zeros.
(func $unsigned (param $n i64) (param $out i32) (result i32)
  (local $high i64) (local $digits i64) (local $zeros i64)
  (if (i64.lt_u (local.get $n) (i64.const 100000000))
    (then
      (local.set $digits (call $digits (i32.wrap_i64 (local.get $n))))
      (local.set $zeros
        (i64.and (i64.ctz (i64.or (local.get $digits) (i64.const 0x8000000000000000))) (i64.const 0x78)))
      (i64.store (local.get $out) (i64.shr_u (call $ascii (local.get $digits)) (local.get $zeros)))
      (return
        (i32.sub
          (i32.add (local.get $out) (i32.const 8))
          (i32.shr_u (i32.wrap_i64 (local.get $zeros)) (i32.const 3))))))
  (local.set $high (i64.div_u (local.get $n) (i64.const 100000000)))
  (call $padded
    (i64.sub (local.get $n) (i64.mul (local.get $high) (i64.const 100000000)))
    (i32.const 8)
    (call $unsigned (local.get $high) (local.get $out))))

;; $width digits, 1 to 18.
(func $padded (param $n i64) (param $width i32) (param $out i32) (result i32)
  (local $high i64)
  (if (i32.gt_u (local.get $width) (i32.const 8))
    (then
      (local.set $high (i64.div_u (local.get $n) (i64.const 100000000)))
      (local.set $n (i64.sub (local.get $n) (i64.mul (local.get $high) (i64.const 100000000))))
      (local.set $out (call $padded (local.get $high) (i32.sub (local.get $width) (i32.const 8)) (local.get $out)))
      (local.set $width (i32.const 8))))
  (i64.store
    (local.get $out)
    (i64.shr_u
      (call $ascii (call $digits (i32.wrap_i64 (local.get $n))))
      (i64.extend_i32_u (i32.shl (i32.sub (i32.const 8) (local.get $width)) (i32.const 3)))))
  (i32.add (local.get $out) (local.get $width)))

;; 10^$n, of at most 18.
(func $power (param $n i32) (result i64)
  (i64.load (i32.shl (local.get $n) (i32.const 3))))

(func $decimal (param $n i64) (param $scale i32) (param $point i32) (param $out i32) (result i32)
  (local $one i64) (local $whole i64)
  (if (i64.lt_s (local.get $n) (i64.const 0))
    (then
      (i32.store8 (local.get $out) (i32.const 45))
      (local.set $out (i32.add (local.get $out) (i32.const 1)))
      (local.set $n (i64.sub (i64.const 0) (local.get $n)))))
  (if (i32.eqz (local.get $scale)) (then (return (call $unsigned (local.get $n) (local.get $out)))))
  (local.set $one (call $power (local.get $scale)))
  (local.set $whole (i64.div_u (local.get $n) (local.get $one)))
  (local.set $out (call $unsigned (local.get $whole) (local.get $out)))
  (i32.store8 (local.get $out) (local.get $point))
  (call $padded
    (i64.sub (local.get $n) (i64.mul (local.get $whole) (local.get $one)))
    (local.get $scale)
    (i32.add (local.get $out) (i32.const 1))))

(func $bool (param $value i32) (param $out i32) (result i32)
  (if (local.get $value)
    (then
      (i32.store (local.get $out) (i32.const 0x65757274))
      (return (i32.add (local.get $out) (i32.const 4)))))
  (i64.store (local.get $out) (i64.const 0x65736c6166))
  (i32.add (local.get $out) (i32.const 5)))

;; Hexadecimal digits of the upper halves of the bytes, or of the lower ones.
(func $hex (param $nibbles v128) (result v128)
  (i8x16.swizzle (v128.const i8x16 48 49 50 51 52 53 54 55 56 57 97 98 99 100 101 102) (local.get $nibbles)))

;; 16 bytes, in the order of their text.
(func $uuid (param $bytes v128) (param $out i32) (result i32)
  (local $upper v128) (local $lower v128) (local $text v128)
  (local.set $upper (call $hex (i8x16.shr_u (local.get $bytes) (i32.const 4))))
  (local.set $lower
    (call $hex (v128.and (local.get $bytes) (v128.const i8x16 15 15 15 15 15 15 15 15 15 15 15 15 15 15 15 15))))
  (local.set $text (i8x16.shuffle 0 16 1 17 2 18 3 19 4 20 5 21 6 22 7 23 (local.get $upper) (local.get $lower)))
  (v128.store (local.get $out) (local.get $text))
  (i32.store8 offset=8 (local.get $out) (i32.const 45))
  (v128.store32_lane offset=9 2 (local.get $out) (local.get $text))
  (i32.store8 offset=13 (local.get $out) (i32.const 45))
  (v128.store32_lane offset=14 3 (local.get $out) (local.get $text))
  (i32.store8 offset=18 (local.get $out) (i32.const 45))
  (local.set $text
    (i8x16.shuffle 8 24 9 25 10 26 11 27 12 28 13 29 14 30 15 31 (local.get $upper) (local.get $lower)))
  (v128.store32_lane offset=19 0 (local.get $out) (local.get $text))
  (i32.store8 offset=23 (local.get $out) (i32.const 45))
  (v128.store32_lane offset=24 1 (local.get $out) (local.get $text))
  (v128.store64_lane offset=28 1 (local.get $out) (local.get $text))
  (i32.add (local.get $out) (i32.const 36)))

;; A day as its number since 0000-03-01. Years of March to February, four hundred of them an era (Howard Hinnant,
;; chrono-Compatible Low-Level Date Algorithms).
(func $day (param $day i32) (param $out i32) (result i32)
  (local $era i32) (local $year i32) (local $month i32) (local $text i64)
  (local.set $era (i32.div_u (local.get $day) (i32.const 146097)))
  (local.set $day (i32.sub (local.get $day) (i32.mul (local.get $era) (i32.const 146097))))
  (local.set $year
    (i32.div_u
      (i32.sub
        (i32.add
          (i32.sub (local.get $day) (i32.div_u (local.get $day) (i32.const 1460)))
          (i32.div_u (local.get $day) (i32.const 36524)))
        (i32.div_u (local.get $day) (i32.const 146096)))
      (i32.const 365)))
  (local.set $day
    (i32.sub
      (local.get $day)
      (i32.sub
        (i32.add (i32.mul (local.get $year) (i32.const 365)) (i32.div_u (local.get $year) (i32.const 4)))
        (i32.div_u (local.get $year) (i32.const 100)))))
  (local.set $month (i32.div_u (i32.add (i32.mul (local.get $day) (i32.const 5)) (i32.const 2)) (i32.const 153)))
  (local.set $day
    (i32.sub
      (i32.add (local.get $day) (i32.const 1))
      (i32.div_u (i32.add (i32.mul (local.get $month) (i32.const 153)) (i32.const 2)) (i32.const 5))))
  (local.set $year (i32.add (local.get $year) (i32.mul (local.get $era) (i32.const 400))))
  (if (i32.lt_u (local.get $month) (i32.const 10))
    (then (local.set $month (i32.add (local.get $month) (i32.const 3))))
    (else
      (local.set $month (i32.sub (local.get $month) (i32.const 9)))
      (local.set $year (i32.add (local.get $year) (i32.const 1)))))
  (local.set $text
    (call $ascii
      (call $digits
        (i32.add
          (i32.add (i32.mul (local.get $year) (i32.const 10000)) (i32.mul (local.get $month) (i32.const 100)))
          (local.get $day)))))
  (i64.store32 (local.get $out) (local.get $text))
  (i32.store8 offset=4 (local.get $out) (i32.const 45))
  (i64.store16 offset=5 (local.get $out) (i64.shr_u (local.get $text) (i64.const 32)))
  (i32.store8 offset=7 (local.get $out) (i32.const 45))
  (i64.store16 offset=8 (local.get $out) (i64.shr_u (local.get $text) (i64.const 48)))
  (i32.add (local.get $out) (i32.const 10)))

;; Microseconds of a day, of which there may be 24 hours.
(func $time (param $micros i64) (param $out i32) (result i32)
  (local $second i32) (local $minute i32) (local $text i64)
  (local.set $second (i32.wrap_i64 (i64.div_u (local.get $micros) (i64.const 1000000))))
  (local.set $micros
    (i64.sub (local.get $micros) (i64.mul (i64.extend_i32_u (local.get $second)) (i64.const 1000000))))
  (local.set $minute (i32.div_u (local.get $second) (i32.const 60)))
  ;; hhmmss, as hh * 100 + mm is mm + 60 hh + 40 hh.
  (local.set $text
    (call $ascii
      (call $digits
        (i32.add
          (i32.sub (local.get $second) (i32.mul (local.get $minute) (i32.const 60)))
          (i32.mul
            (i32.add (local.get $minute) (i32.mul (i32.div_u (local.get $minute) (i32.const 60)) (i32.const 40)))
            (i32.const 100))))))
  (i64.store16 (local.get $out) (i64.shr_u (local.get $text) (i64.const 16)))
  (i32.store8 offset=2 (local.get $out) (i32.const 58))
  (i64.store16 offset=3 (local.get $out) (i64.shr_u (local.get $text) (i64.const 32)))
  (i32.store8 offset=5 (local.get $out) (i32.const 58))
  (i64.store16 offset=6 (local.get $out) (i64.shr_u (local.get $text) (i64.const 48)))
  (i32.store8 offset=8 (local.get $out) (i32.const 46))
  (call $padded (local.get $micros) (i32.const 6) (i32.add (local.get $out) (i32.const 9))))

;; A moment as microseconds since 1970; 0 where it is none of the years 1 to 9999.
(func $moment (param $micros i64) (param $isInstant i32) (param $out i32) (result i32)
  (local $day i64)
  ;; Since 0001-01-01, of which there are 315537897600 seconds.
  (local.set $micros (i64.add (local.get $micros) (i64.const 62135596800000000)))
  (if (i64.ge_u (local.get $micros) (i64.const 315537897600000000)) (then (return (i32.const 0))))
  (local.set $day (i64.div_u (local.get $micros) (i64.const 86400000000)))
  (local.set $out (call $day (i32.add (i32.wrap_i64 (local.get $day)) (i32.const 306)) (local.get $out)))
  (i32.store8 (local.get $out) (i32.const 84))
  (local.set $out
    (call $time
      (i64.sub (local.get $micros) (i64.mul (local.get $day) (i64.const 86400000000)))
      (i32.add (local.get $out) (i32.const 1))))
  (i32.store8 (local.get $out) (i32.const 90))
  (i32.add (local.get $out) (local.get $isInstant)))

;; A day as its number since 1970; 0 where it is none of the years 1 to 9999.
(func $date (param $day i32) (param $out i32) (result i32)
  (local.set $day (i32.add (local.get $day) (i32.const 719162)))
  (if (i32.ge_u (local.get $day) (i32.const 3652059)) (then (return (i32.const 0))))
  (call $day (i32.add (local.get $day) (i32.const 306)) (local.get $out)))
