;; PostgreSQL's CopyData messages and the moments in them: part of a module, which has the memory. Sixteen bytes are
;; read and written at a time, past the end of what counts: every region has room behind it.
;;
;; The text of a moment, `2026-01-31 23:59:59.12+00`, becomes `2026-01-31T23:59:59.120000Z`. A moment, or a message's
;; header, that has not come as a whole is left for the next call.

;; What is to be read, and where the next row's bytes go.
(global $at (export "at") (mut i32) (i32.const 0))
(global $end (export "end") (mut i32) (i32.const 0))
(global $out (export "out") (mut i32) (i32.const 0))
;; Bytes of the message under way that are still to come.
(global $rest (export "rest") (mut i32) (i32.const 0))
;; What stands between cells.
(global $delimiter (export "delimiter") (mut i32) (i32.const 44))
;; Where the moment ends that stands at $at.
(global $momentEnd (export "momentEnd") (mut i32) (i32.const 0))

(func $advance (param $length i32)
  (global.set $at (i32.add (global.get $at) (local.get $length)))
  (global.set $rest (i32.sub (global.get $rest) (local.get $length))))

;; Whether the byte at $place is a digit.
(func $isDigit (param $place i32) (result i32)
  (i32.lt_u (i32.sub (i32.load8_u (local.get $place)) (i32.const 48)) (i32.const 10)))

;; Where the moment ends: at a delimiter, a line feed or $stop.
(func $endOfMoment (param $stop i32) (result i32)
  (local $at i32)
  (local $byte i32)
  (local.set $at (global.get $at))
  ;; What begins with a digit is a whole moment, and none is shorter.
  (if (i32.and
        (call $isDigit (local.get $at))
        (i32.gt_u (i32.sub (local.get $stop) (local.get $at)) (i32.const 19)))
    (then (local.set $at (i32.add (local.get $at) (i32.const 19)))))
  (block $done
    (loop $next
      (br_if $done (i32.ge_u (local.get $at) (local.get $stop)))
      (local.set $byte (i32.load8_u (local.get $at)))
      (br_if $done (i32.eq (local.get $byte) (global.get $delimiter)))
      (br_if $done (i32.eq (local.get $byte) (i32.const 10)))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (br $next)))
  (local.get $at))

;; Whether all of the moment that ends at $end has come, of bytes that come up to $stop.
(func $isWhole (param $end i32) (param $stop i32) (result i32)
  (i32.or
    (i32.ne (local.get $end) (local.get $stop))
    (i32.eq (i32.sub (local.get $stop) (global.get $at)) (global.get $rest))))

;; Rewrites the moment that ends at $end; 0 where it is none of the years 1 to 9999.
(func $rewrite (param $end i32) (param $isInstant i32) (result i32)
  (local $at i32)
  (local $out i32)
  (local $length i32)
  (local $fraction i64)
  (local.set $at (global.get $at))
  (local.set $out (global.get $out))
  (local.set $length
    (i32.sub (i32.sub (local.get $end) (local.get $at)) (i32.mul (local.get $isInstant) (i32.const 3))))
  ;; Of 19 bytes, or of 21 to 26 with a fraction.
  (if (i32.gt_u (i32.sub (local.get $length) (i32.const 19)) (i32.const 7)) (then (return (i32.const 0))))
  (if (i32.ne (i32.load8_u offset=4 (local.get $at)) (i32.const 45)) (then (return (i32.const 0))))
  (if (i32.ne (i32.load8_u offset=10 (local.get $at)) (i32.const 32)) (then (return (i32.const 0))))
  (if (i32.eqz (call $isDigit (i32.sub (i32.add (local.get $at) (local.get $length)) (i32.const 1))))
    (then (return (i32.const 0))))
  (if (i32.and
        (i32.ne (local.get $length) (i32.const 19))
        (i32.ne (i32.load8_u offset=19 (local.get $at)) (i32.const 46)))
    (then (return (i32.const 0))))
  (if (i32.and
        (local.get $isInstant)
        (i32.ne (i32.load8_u (i32.add (local.get $at) (local.get $length))) (i32.const 43)))
    (then (return (i32.const 0))))
  (v128.store (local.get $out) (v128.load (local.get $at)))
  (i32.store offset=16 (local.get $out) (i32.load offset=16 (local.get $at)))
  (i32.store8 offset=10 (local.get $out) (i32.const 84))
  ;; `.000000Z`, over which the fraction is laid.
  (local.set $fraction
    (i64.sub
      (i64.shl
        (i64.const 1)
        (i64.extend_i32_u (i32.shl (i32.sub (local.get $length) (i32.const 19)) (i32.const 3))))
      (i64.const 1)))
  (i64.store offset=19
    (local.get $out)
    (i64.or
      (i64.and (i64.load offset=19 (local.get $at)) (local.get $fraction))
      (i64.and (i64.const 0x5a3030303030302e) (i64.xor (local.get $fraction) (i64.const -1)))))
  (global.set $out (i32.add (local.get $out) (i32.add (i32.const 26) (local.get $isInstant))))
  (call $advance (i32.sub (local.get $end) (local.get $at)))
  (i32.const 1))

;; Begins a message of rows; $rest is 0. Gives 0 for go on, 1 for wait for more, 3 where another message stands.
(func $takeHeader (result i32)
  (local $length i32)
  (if (i32.eq (global.get $at) (global.get $end)) (then (return (i32.const 1))))
  (if (i32.ne (i32.load8_u (global.get $at)) (i32.const 100)) (then (return (i32.const 3))))
  (if (i32.lt_u (i32.sub (global.get $end) (global.get $at)) (i32.const 5)) (then (return (i32.const 1))))
  (local.set $length (i32.load offset=1 (global.get $at)))
  ;; The length has its highest byte first, and counts itself.
  (global.set $rest
    (i32.sub
      (i32.or
        (i32.and (i32.rotl (local.get $length) (i32.const 8)) (i32.const 0x00ff00ff))
        (i32.and (i32.rotr (local.get $length) (i32.const 8)) (i32.const 0xff00ff00)))
      (i32.const 4)))
  (global.set $at (i32.add (global.get $at) (i32.const 5)))
  (i32.const 0))

;; Where what has come of the message under way ends.
(func $stop (result i32)
  (i32.add
    (global.get $at)
    (select
      (global.get $rest)
      (i32.sub (global.get $end) (global.get $at))
      (i32.lt_u (global.get $rest) (i32.sub (global.get $end) (global.get $at))))))
