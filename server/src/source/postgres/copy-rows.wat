;; Takes the rows out of the messages of PostgreSQL's CSV. They go as they come, and at once; a message's header that has not
;; come as a whole is left for the next call. Sixteen bytes are read and written at a time, past the end of what counts.
(module
  ;; From 4096 what was left of the last read, from 8192 a read of 64 KiB, and from 81920 the rows of one.
  (memory (export "memory") 3)

  ;; What is to be read, and where the next row's bytes go.
  (global $at (export "at") (mut i32) (i32.const 0))
  (global $end (export "end") (mut i32) (i32.const 0))
  (global $out (export "out") (mut i32) (i32.const 0))
  ;; Bytes of the message under way that are still to come.
  (global $rest (export "rest") (mut i32) (i32.const 0))
  ;; Messages so far, of which each is a row.
  (global $count (export "count") (mut i64) (i64.const 0))

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
    (global.set $at (i32.add (global.get $at) (local.get $length)))
    (global.set $rest (i32.sub (global.get $rest) (local.get $length)))
    (global.set $out (i32.add (global.get $out) (local.get $length))))

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
      (call $copy
        (select (global.get $rest) (local.get $has) (i32.lt_u (global.get $rest) (local.get $has))))
      (br $next))
    (unreachable)))
