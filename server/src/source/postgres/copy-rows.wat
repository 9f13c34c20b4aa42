;; Takes the rows out of PostgreSQL's CopyData messages and rewrites the moments in them on the way.
;;
;; The text of a moment in PostgreSQL's CSV, `2026-01-31 23:59:59.12+00`, becomes `2026-01-31T23:59:59.120000Z`. A
;; moment, or a message's header, that has not come as a whole is left for the next call; all else goes at once.
;; Sixteen bytes are read and written at a time, past the end of what counts: every region has room behind it.
(module
  ;; Kinds of columns, from 0: one byte each. 0: anything; 1: a moment without zone; 2: a moment of UTC.
  ;; From 4096 what was left of the last read, from 8192 a read of 64 KiB, and from 81920 rows, of which a read makes
  ;; at most half as much again.
  (memory (export "memory") 3)

  ;; What is to be read, and where the next row's bytes go.
  (global $at (export "at") (mut i32) (i32.const 0))
  (global $end (export "end") (mut i32) (i32.const 0))
  (global $out (export "out") (mut i32) (i32.const 0))
  ;; Bytes of the message under way that are still to come, and the messages so far.
  (global $rest (export "rest") (mut i32) (i32.const 0))
  (global $messages (export "messages") (mut i64) (i64.const 0))
  ;; The column the next byte belongs to, and whether it stands in quotes.
  (global $cell (export "cell") (mut i32) (i32.const 0))
  (global $quoted (mut i32) (i32.const 0))
  ;; The last column of moments, -1 for none, and what stands between cells.
  (global $last (export "last") (mut i32) (i32.const -1))
  (global $delimiter (export "delimiter") (mut i32) (i32.const 44))
  ;; Where the moment ends that stands at $at.
  (global $momentEnd (export "momentEnd") (mut i32) (i32.const 0))

  ;; Copies $length bytes from $at to $out and goes on behind them.
  (func $copy (param $length i32)
    (local $done i32)
    (if (i32.gt_u (local.get $length) (i32.const 1024))
      (then (memory.copy (global.get $out) (global.get $at) (local.get $length)))
      (else
        (loop $next
          (v128.store
            (i32.add (global.get $out) (local.get $done))
            (v128.load (i32.add (global.get $at) (local.get $done))))
          (br_if $next
            (i32.lt_u (local.tee $done (i32.add (local.get $done) (i32.const 16))) (local.get $length))))))
    (call $advance (local.get $length))
    (global.set $out (i32.add (global.get $out) (local.get $length))))

  (func $advance (param $length i32)
    (global.set $at (i32.add (global.get $at) (local.get $length)))
    (global.set $rest (i32.sub (global.get $rest) (local.get $length))))

  ;; Whether the byte at $place is a digit.
  (func $isDigit (param $place i32) (result i32)
    (i32.lt_u (i32.sub (i32.load8_u (local.get $place)) (i32.const 48)) (i32.const 10)))

  ;; Copies up to the end of the cell, or up to $stop.
  (func $copyCell (param $stop i32)
    (local $at i32)
    (local $out i32)
    (local $bytes v128)
    (local $found i32)
    (local $delimiters v128)
    (local.set $at (global.get $at))
    (local.set $out (global.get $out))
    (local.set $delimiters (i8x16.splat (global.get $delimiter)))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $at) (local.get $stop)))
        (local.set $bytes (v128.load (local.get $at)))
        (v128.store (local.get $out) (local.get $bytes))
        (local.set $found
          (i8x16.bitmask
            (i8x16.eq (local.get $bytes) (v128.const i8x16 34 34 34 34 34 34 34 34 34 34 34 34 34 34 34 34))))
        (if (i32.eqz (global.get $quoted))
          (then
            (local.set $found
              (i32.or (local.get $found) (i8x16.bitmask (i8x16.eq (local.get $bytes) (local.get $delimiters)))))))
        ;; 16 where none is found.
        (local.set $found (i32.ctz (i32.or (local.get $found) (i32.const 65536))))
        (if (i32.ge_u (i32.add (local.get $at) (local.get $found)) (local.get $stop))
          (then
            (local.set $out (i32.add (local.get $out) (i32.sub (local.get $stop) (local.get $at))))
            (local.set $at (local.get $stop))
            (br $done)))
        (local.set $at (i32.add (local.get $at) (local.get $found)))
        (local.set $out (i32.add (local.get $out) (local.get $found)))
        (br_if $next (i32.eq (local.get $found) (i32.const 16)))
        (local.set $found (i32.load8_u (local.get $at)))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (local.set $out (i32.add (local.get $out) (i32.const 1)))
        (if (i32.eq (local.get $found) (i32.const 34))
          (then
            (global.set $quoted (i32.xor (global.get $quoted) (i32.const 1)))
            (br $next)))
        (global.set $cell (i32.add (global.get $cell) (i32.const 1)))))
    (call $advance (i32.sub (local.get $at) (global.get $at)))
    (global.set $out (local.get $out)))

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

  ;; Rewrites the moment that ends at $end, and copies what stands behind it; 0 where it is none of the years 1 to 9999.
  (func $rewrite (param $end i32) (result i32)
    (local $at i32)
    (local $out i32)
    (local $isInstant i32)
    (local $length i32)
    (local $fraction i64)
    (local.set $at (global.get $at))
    (local.set $out (global.get $out))
    (local.set $isInstant (i32.eq (i32.load8_u (global.get $cell)) (i32.const 2)))
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
    (call $endMoment)
    (i32.const 1))

  ;; Copies what stands behind a moment.
  (func $endMoment
    (global.set $cell (i32.add (global.get $cell) (i32.const 1)))
    (if (global.get $rest) (then (call $copy (i32.const 1)))))

  ;; The moment at $at. Gives 0 for go on, 1 for wait for more, 2 for one the caller is to rewrite.
  (func $takeMoment (param $stop i32) (result i32)
    (local $end i32)
    (local.set $end (call $endOfMoment (local.get $stop)))
    (if (i32.and
          (i32.eq (local.get $end) (local.get $stop))
          (i32.ne (i32.sub (local.get $stop) (global.get $at)) (global.get $rest)))
      (then (return (i32.const 1))))
    (if (i32.eqz (call $isDigit (global.get $at)))
      (then
        (call $copy (i32.sub (local.get $end) (global.get $at)))
        (call $endMoment)
        (return (i32.const 0))))
    (if (call $rewrite (local.get $end)) (then (return (i32.const 0))))
    (global.set $momentEnd (local.get $end))
    (i32.const 2))

  ;; Begins a message of rows. Gives 0 for go on, 1 for wait for more, 3 where another message stands.
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
    (global.set $messages (i64.add (global.get $messages) (i64.const 1)))
    (global.set $cell (i32.const 0))
    (global.set $quoted (i32.const 0))
    (i32.const 0))

  ;; Takes what can be taken. Gives 1 where more has to come, 2 for a moment, from $at to $momentEnd, that the caller
  ;; is to rewrite before it calls again, 3 where a message stands that is none of rows.
  (func (export "take") (result i32)
    (local $stop i32)
    (local $what i32)
    (loop $next
      (block $begun
        (br_if $begun (global.get $rest))
        (br_if $next (i32.eqz (local.tee $what (call $takeHeader))))
        (return (local.get $what)))
      (if (i32.eq (global.get $at) (global.get $end)) (then (return (i32.const 1))))
      (local.set $stop
        (i32.add
          (global.get $at)
          (select
            (global.get $rest)
            (i32.sub (global.get $end) (global.get $at))
            (i32.lt_u (global.get $rest) (i32.sub (global.get $end) (global.get $at))))))
      (if (i32.gt_s (global.get $cell) (global.get $last))
        (then
          (call $copy (i32.sub (local.get $stop) (global.get $at)))
          (br $next)))
      (if (i32.load8_u (global.get $cell))
        (then
          (br_if $next (i32.eqz (local.tee $what (call $takeMoment (local.get $stop)))))
          (return (local.get $what))))
      (call $copyCell (local.get $stop))
      (br $next))
    (unreachable)))
