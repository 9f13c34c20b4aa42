;; Takes the rows out of the messages of PostgreSQL's CSV, with what `landed-text.ts` has within and behind them. They go at once;
;; a message's header that has not come as a whole is left for the next call. Sixteen bytes are read and written at a time,
;; past the end of what counts.
(module
  ;; From 4096 what was left of the last read, from 8192 a read of 64 KiB, and from 81920 the rows of one, some twice as long at most.
  (memory (export "memory") 4)

  ;; What is to be read, and where the next row's bytes go.
  (global $at (export "at") (mut i32) (i32.const 0))
  (global $end (export "end") (mut i32) (i32.const 0))
  (global $out (export "out") (mut i32) (i32.const 0))
  ;; Bytes of the message under way that are still to come.
  (global $rest (export "rest") (mut i32) (i32.const 0))
  ;; Whether the row under way has characters that others stand for.
  (global $hasOthers (export "hasOthers") (mut i32) (i32.const 0))
  ;; Messages so far, of which each is a row.
  (global $count (export "count") (mut i64) (i64.const 0))

  (func $put (param $byte i32)
    (i32.store8 (global.get $out) (local.get $byte))
    (global.set $out (i32.add (global.get $out) (i32.const 1))))

  (func $putOther (param $byte i32)
    (global.set $hasOthers (i32.const 1))
    (call $put (local.get $byte)))

  ;; Writes a character of a row, below U+000E.
  (func $control (param $char i32)
    (if (i32.eq (local.get $char) (i32.const 10)) (then (call $putOther (i32.const 1)) (return)))
    (if (i32.eq (local.get $char) (i32.const 13)) (then (call $putOther (i32.const 2)) (return)))
    (if (i32.le_u (i32.sub (local.get $char) (i32.const 1)) (i32.const 2))
      (then
        (call $putOther (i32.const 3))
        (local.set $char (i32.add (local.get $char) (i32.const 48)))))
    (call $put (local.get $char)))

  ;; Writes the bytes from $at to $end, and goes on behind them.
  (func $write (param $end i32)
    (local $bytes v128) (local $done i32)
    (block $all
      (loop $next
        (br_if $all (i32.ge_u (global.get $at) (local.get $end)))
        (local.set $bytes (v128.load (global.get $at)))
        (v128.store (global.get $out) (local.get $bytes))
        (local.set $done
          (i32.ctz
            (i32.or (i32.const 0x10000)
              (i8x16.bitmask (i8x16.lt_u (local.get $bytes) (i8x16.splat (i32.const 14)))))))
        (global.set $at (i32.add (global.get $at) (local.get $done)))
        (global.set $out (i32.add (global.get $out) (local.get $done)))
        (br_if $next (i32.eq (local.get $done) (i32.const 16)))
        (br_if $all (i32.ge_u (global.get $at) (local.get $end)))
        (call $control (i32.load8_u (global.get $at)))
        (global.set $at (i32.add (global.get $at) (i32.const 1)))
        (br $next)))
    ;; What was written behind the end does not count.
    (global.set $out (i32.sub (global.get $out) (i32.sub (global.get $at) (local.get $end))))
    (global.set $at (local.get $end)))

  ;; Takes $length bytes of a row. Its last byte is its own line end.
  (func $row (param $length i32)
    (global.set $rest (i32.sub (global.get $rest) (local.get $length)))
    (if (global.get $rest)
      (then (call $write (i32.add (global.get $at) (local.get $length))) (return)))
    (call $write (i32.sub (i32.add (global.get $at) (local.get $length)) (i32.const 1)))
    (call $put (i32.const 44))
    (call $put (i32.add (i32.const 48) (global.get $hasOthers)))
    (call $put (i32.load8_u (global.get $at)))
    (global.set $hasOthers (i32.const 0))
    (global.set $at (i32.add (global.get $at) (i32.const 1))))

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
    (global.set $count (i64.add (global.get $count) (i64.const 1)))
    (i32.const 0))

  ;; Takes what can be taken. Gives 1 where more has to come, 3 where a message stands that is none of rows.
  (func (export "take") (result i32)
    (local $what i32) (local $has i32)
    (loop $next
      (if (i32.eqz (global.get $rest))
        (then
          (br_if $next (i32.eqz (local.tee $what (call $takeHeader))))
          (return (local.get $what))))
      (local.set $has (i32.sub (global.get $end) (global.get $at)))
      (if (i32.eqz (local.get $has)) (then (return (i32.const 1))))
      (call $row
        (select (global.get $rest) (local.get $has) (i32.lt_u (global.get $rest) (local.get $has))))
      (br $next))
    (unreachable)))
