;; Makes lines of JSON of PostgreSQL's text format (copy-messages.wat): cells stand between tabs, rows end with a line
;; feed, a backslash and a letter stand for a control character, two backslashes for one, and \N for NULL. JSON writes
;; all of these in the same way but \v; a quote and the other control characters come as they are.

;; Kinds of columns, from 0: one byte each, as `KIND` in copy-json.ts has them: 1 a moment without zone, 2 a moment of
;; UTC, 3 JSON, 0 anything else; and 4 more where the value stands in quotes.
;; From 2048 the places of heads, the first one's start and then each one's end, 4 bytes each; from 10240 the heads,
;; as `{"name":` or `,"name":"`. From 61440 what was left of the last read, from 65536 a read of 64 KiB, and from
;; 131072 the rows.
(memory (export "memory") 6)

;; Lines so far.
(global $count (export "count") (mut i64) (i64.const 0))
(global $cell (export "cell") (mut i32) (i32.const 0))
(global $last (export "last") (mut i32) (i32.const 0))
;; What a line ends with, and its length.
(global $close (export "close") (mut i32) (i32.const 0))
(global $closeBytes (export "closeBytes") (mut i32) (i32.const 0))
;; 0 before a cell, 1 within a value, whose head is written, 2 behind NULL.
(global $state (export "state") (mut i32) (i32.const 0))
;; Behind here no head is written and no byte escaped: the longest head, and what a few bytes make, have room.
(global $full i32 (i32.const 343040))

(func $kind (result i32)
  (i32.and (i32.load8_u (global.get $cell)) (i32.const 3)))

(func $isQuoted (result i32)
  (i32.shr_u (i32.load8_u (global.get $cell)) (i32.const 2)))

(func $writeHead
  (local $from i32)
  (local $place i32)
  (local $length i32)
  (local $done i32)
  (local.set $place (i32.shl (global.get $cell) (i32.const 2)))
  (local.set $from (i32.load offset=2048 (local.get $place)))
  (local.set $length (i32.sub (i32.load offset=2052 (local.get $place)) (local.get $from)))
  (loop $next
    (v128.store
      (i32.add (global.get $out) (local.get $done))
      (v128.load (i32.add (local.get $from) (local.get $done))))
    (br_if $next (i32.lt_u (local.tee $done (i32.add (local.get $done) (i32.const 16))) (local.get $length))))
  (global.set $out (i32.add (global.get $out) (local.get $length))))

;; The backslash at $at ends what has come; it cannot end the message.
(func $waitForPair
  (if (i32.eq (global.get $rest) (i32.const 1)) (then (unreachable))))

;; The head of the cell at $at, and NULL if it is that. 1 where more has to come to tell.
(func $begin (param $stop i32) (result i32)
  (if (i32.eq (i32.load8_u (global.get $at)) (i32.const 92))
    (then
      (if (i32.eq (i32.add (global.get $at) (i32.const 1)) (local.get $stop))
        (then
          (call $waitForPair)
          (return (i32.const 1))))
      (if (i32.eq (i32.load8_u offset=1 (global.get $at)) (i32.const 78))
        (then
          (call $writeHead)
          (global.set $out (i32.sub (global.get $out) (call $isQuoted)))
          (i32.store (global.get $out) (i32.const 0x6c6c756e))
          (global.set $out (i32.add (global.get $out) (i32.const 4)))
          (call $advance (i32.const 2))
          (global.set $state (i32.const 2))
          (return (i32.const 0))))))
  (call $writeHead)
  (global.set $state (i32.const 1))
  (i32.const 0))

;; Ends the cell with the tab or line feed at $at, which no other byte may be, and no other place.
(func $endCell
  (local $byte i32)
  (local.set $byte (i32.load8_u (global.get $at)))
  (if (i32.and (i32.eq (global.get $state) (i32.const 1)) (call $isQuoted))
    (then
      (i32.store8 (global.get $out) (i32.const 34))
      (global.set $out (i32.add (global.get $out) (i32.const 1)))))
  (call $advance (i32.const 1))
  (global.set $state (i32.const 0))
  (if (i32.lt_u (global.get $cell) (global.get $last))
    (then
      (if (i32.ne (local.get $byte) (i32.const 9)) (then (unreachable)))
      (global.set $cell (i32.add (global.get $cell) (i32.const 1)))
      (return)))
  (if (i32.ne (local.get $byte) (i32.const 10)) (then (unreachable)))
  (i32.store (global.get $out) (global.get $close))
  (global.set $out (i32.add (global.get $out) (global.get $closeBytes)))
  (global.set $count (i64.add (global.get $count) (i64.const 1)))
  (global.set $cell (i32.const 0)))

;; `\u00` and two digits.
(func $writeEscape (param $byte i32) (param $out i32)
  (local $digit i32)
  (i32.store (local.get $out) (i32.const 0x3030755c))
  (i32.store8 offset=4 (local.get $out) (i32.add (i32.shr_u (local.get $byte) (i32.const 4)) (i32.const 48)))
  (local.set $digit (i32.and (local.get $byte) (i32.const 15)))
  (i32.store8 offset=5
    (local.get $out)
    (i32.add (local.get $digit) (select (i32.const 55) (i32.const 48) (i32.gt_u (local.get $digit) (i32.const 9))))))

;; What the backslash and the byte behind it at $at stand for, or that byte's own escape. Gives where $out goes on.
(func $escape (param $at i32) (param $out i32) (result i32)
  (local $byte i32)
  (local.set $byte (i32.load8_u (local.get $at)))
  (if (i32.eq (local.get $byte) (i32.const 34))
    (then
      (i32.store16 (local.get $out) (i32.const 0x225c))
      (return (i32.add (local.get $out) (i32.const 2)))))
  (if (i32.eq (local.get $byte) (i32.const 92))
    (then
      (local.set $byte (i32.load8_u offset=1 (local.get $at)))
      (if (i32.ne (local.get $byte) (i32.const 118))
        (then
          (i32.store16 (local.get $out) (i32.load16_u (local.get $at)))
          (return (i32.add (local.get $out) (i32.const 2)))))
      (local.set $byte (i32.const 11))))
  (call $writeEscape (local.get $byte) (local.get $out))
  (i32.add (local.get $out) (i32.const 6)))

;; The byte that the backslash at $at and the one behind it stand for in JSON, where line ends become spaces. Another
;; control character stands in no JSON.
(func $unescaped (param $at i32) (result i32)
  (local $byte i32)
  (if (i32.ne (i32.load8_u (local.get $at)) (i32.const 92)) (then (unreachable)))
  (local.set $byte (i32.load8_u offset=1 (local.get $at)))
  (if (i32.eq (local.get $byte) (i32.const 92)) (then (return (i32.const 92))))
  (if (i32.eq (local.get $byte) (i32.const 116)) (then (return (i32.const 9))))
  (if (i32.eq (local.get $byte) (i32.const 110)) (then (return (i32.const 32))))
  (if (i32.ne (local.get $byte) (i32.const 114)) (then (unreachable)))
  (i32.const 32))

;; Goes on with the value up to its end, to $stop or as far as there is room. 1 where a backslash stands before $stop.
(func $writeValue (param $stop i32) (param $isJson i32) (result i32)
  (local $at i32)
  (local $out i32)
  (local $bytes v128)
  (local $found i32)
  (local $byte i32)
  (local $quotes v128)
  (local.set $at (global.get $at))
  (local.set $out (global.get $out))
  ;; Quotes of JSON stay: a backslash is looked for in their place.
  (local.set $quotes (i8x16.splat (select (i32.const 92) (i32.const 34) (local.get $isJson))))
  (block $done
    (loop $next
      (br_if $done (i32.or (i32.ge_u (local.get $at) (local.get $stop)) (i32.gt_u (local.get $out) (global.get $full))))
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
                  (i8x16.eq (local.get $bytes) (local.get $quotes)))))
            (i32.const 65536))))
      (if (i32.ge_u (i32.add (local.get $at) (local.get $found)) (local.get $stop))
        (then
          (local.set $out (i32.add (local.get $out) (i32.sub (local.get $stop) (local.get $at))))
          (local.set $at (local.get $stop))
          (br $done)))
      (local.set $at (i32.add (local.get $at) (local.get $found)))
      (local.set $out (i32.add (local.get $out) (local.get $found)))
      (br_if $next (i32.eq (local.get $found) (i32.const 16)))
      (local.set $byte (i32.load8_u (local.get $at)))
      (if (i32.le_u (i32.sub (local.get $byte) (i32.const 9)) (i32.const 1))
        (then
          (call $advance (i32.sub (local.get $at) (global.get $at)))
          (global.set $out (local.get $out))
          (call $endCell)
          (return (i32.const 0))))
      (local.set $found (i32.add (i32.eq (local.get $byte) (i32.const 92)) (i32.const 1)))
      (br_if $done (i32.gt_u (i32.add (local.get $at) (local.get $found)) (local.get $stop)))
      (if (local.get $isJson)
        (then
          (i32.store8 (local.get $out) (call $unescaped (local.get $at)))
          (local.set $out (i32.add (local.get $out) (i32.const 1))))
        (else (local.set $out (call $escape (local.get $at) (local.get $out)))))
      (local.set $at (i32.add (local.get $at) (local.get $found)))
      (br $next)))
  (call $advance (i32.sub (local.get $at) (global.get $at)))
  (global.set $out (local.get $out))
  (if (i32.or
        (i32.eq (local.get $at) (local.get $stop))
        (i32.gt_u (local.get $out) (global.get $full)))
    (then (return (i32.const 0))))
  (call $waitForPair)
  (i32.const 1))

;; The moment at $at, if one is there. Gives 0 for go on, 1 for wait for more, 2 for one the caller is to rewrite.
(func $takeMoment (param $stop i32) (result i32)
  (local $end i32)
  (if (i32.eqz (call $isDigit (global.get $at))) (then (return (i32.const 0))))
  (local.set $end (call $endOfMoment (local.get $stop)))
  (if (i32.eqz (call $isWhole (local.get $end) (local.get $stop))) (then (return (i32.const 1))))
  (if (call $rewrite (local.get $end) (i32.eq (call $kind) (i32.const 2))) (then (return (i32.const 0))))
  (global.set $momentEnd (local.get $end))
  (i32.const 2))

;; Goes on with the cell at $at. Gives 0 for go on, 1 for wait for more, 2 for a moment the caller is to rewrite.
(func $takeCell (param $stop i32) (result i32)
  (local $what i32)
  (if (i32.eqz (global.get $state))
    (then
      (if (call $begin (local.get $stop)) (then (return (i32.const 1))))
      ;; What follows may have to come.
      (if (i32.eq (global.get $at) (local.get $stop)) (then (return (i32.const 0))))))
  (if (i32.eq (global.get $state) (i32.const 2))
    (then
      (call $endCell)
      (return (i32.const 0))))
  (if (i32.eq (call $kind) (i32.const 3)) (then (return (call $writeValue (local.get $stop) (i32.const 1)))))
  (if (call $kind)
    (then (if (local.tee $what (call $takeMoment (local.get $stop))) (then (return (local.get $what))))))
  (call $writeValue (local.get $stop) (i32.const 0)))

;; As in copy-rows.wat; 1 also where the rows have to be emptied first.
(func (export "take") (result i32)
  (local $what i32)
  (loop $next
    (if (i32.eqz (global.get $rest))
      (then
        (br_if $next (i32.eqz (local.tee $what (call $takeHeader))))
        (return (local.get $what))))
    (if (i32.or (i32.eq (global.get $at) (global.get $end)) (i32.gt_u (global.get $out) (global.get $full)))
      (then (return (i32.const 1))))
    (br_if $next (i32.eqz (local.tee $what (call $takeCell (call $stop)))))
    (return (local.get $what)))
  (unreachable))
