;; Takes the rows out of PostgreSQL's CSV and rewrites the moments in them on the way (copy-messages.wat). All else goes
;; as it comes, and at once.

;; Kinds of columns, from 0: one byte each. 0: anything; 1: a moment without zone; 2: a moment of UTC.
;; From 4096 what was left of the last read, from 8192 a read of 64 KiB, and from 81920 rows, of which a read makes
;; at most half as much again.
(memory (export "memory") 3)

;; Messages so far, of which each is a row.
(global $count (export "count") (mut i64) (i64.const 0))
;; The column the next byte belongs to, and whether it stands in quotes.
(global $cell (export "cell") (mut i32) (i32.const 0))
(global $quoted (mut i32) (i32.const 0))
;; The last column of moments, -1 for none.
(global $last (export "last") (mut i32) (i32.const -1))

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

;; Copies what stands behind a moment.
(func $endMoment
  (global.set $cell (i32.add (global.get $cell) (i32.const 1)))
  (if (global.get $rest) (then (call $copy (i32.const 1)))))

;; The moment at $at. Gives 0 for go on, 1 for wait for more, 2 for one the caller is to rewrite.
(func $takeMoment (param $stop i32) (result i32)
  (local $end i32)
  (local.set $end (call $endOfMoment (local.get $stop)))
  (if (i32.eqz (call $isWhole (local.get $end) (local.get $stop))) (then (return (i32.const 1))))
  (if (call $isDigit (global.get $at))
    (then
      (if (i32.eqz (call $rewrite (local.get $end) (i32.eq (i32.load8_u (global.get $cell)) (i32.const 2))))
        (then
          (global.set $momentEnd (local.get $end))
          (return (i32.const 2)))))
    (else (call $copy (i32.sub (local.get $end) (global.get $at)))))
  (call $endMoment)
  (i32.const 0))

;; Takes what can be taken. Gives 1 where more has to come, 2 for a moment, from $at to $momentEnd, that the caller
;; is to rewrite before it calls again, 3 where a message stands that is none of rows.
(func (export "take") (result i32)
  (local $stop i32)
  (local $what i32)
  (loop $next
    (if (i32.eqz (global.get $rest))
      (then
        (if (local.tee $what (call $takeHeader)) (then (return (local.get $what))))
        (global.set $count (i64.add (global.get $count) (i64.const 1)))
        (global.set $cell (i32.const 0))
        (global.set $quoted (i32.const 0))
        (br $next)))
    (if (i32.eq (global.get $at) (global.get $end)) (then (return (i32.const 1))))
    (local.set $stop (call $stop))
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
  (unreachable))
