;; Reads JSON lines: tells the members of each object, and writes those that are wanted as a row of CSV.
;;
;; Memory: at 0 a hash table of 32,768 numbers of 2 bytes, which spelling from 1 on or 0; at 0x10000 up to 16,384
;; spellings of names, at 0x50000 as many columns, 16 bytes each; then what the one who uses this puts there: the
;; bytes of the spellings, lines, and room for rows. The last line ends with a line
;; feed, which no value can hold: nothing is read beyond it but by steps of 16 bytes.
;;
;; Spelling: +0 where its bytes stand, as between quotes, +4 how many, +8 its column or -1. $spell adds one.
;; Column: +0 number of the row it was last met in, +4 start, +8 end of its value there, +12 the value's kind,
;;   +13 how it is wanted: 0 not (its cell is empty), 1 as text, 2 as JSON, +14 what it has held: 1 for strings, 2 for others but null.
;; Kinds: 0 null, 1 a string, 2 one with escapes, 3 a number, true or false, 4 what is nested.
;;
;; A row begins with a 1, so that none is blank, and has what `landed-text.ts` says within and behind it.
(module
  ;; Called for a name that has no spelling yet, with start and end: gives its column, or -1 to pass it over.
  (import "calls" "unknown" (func $unknown (param i32 i32) (result i32)))
  (import "memory" "memory" (memory 1))

  ;; How many there are.
  (global $spellings (export "spellings") (mut i32) (i32.const 0))
  (global $columns (export "columns") (mut i32) (i32.const 0))
  ;; Rows read by the last call.
  (global $rows (export "rows") (mut i32) (i32.const 0))
  ;; Bytes of the longest line read by any call.
  (global $longest (export "longest") (mut i32) (i32.const 0))
  ;; Where the next byte of CSV goes, and where the room for it ends but for 32 bytes.
  (global $out (export "out") (mut i32) (i32.const 0))
  (global $outEnd (export "outEnd") (mut i32) (i32.const 0))
  ;; Why the last call failed: 1 no object, 2 not JSON, 3 half of a surrogate pair, 4 nested too deep, 5 more behind
  ;; the object; and where. 6 is no failure: there is no room for the next row.
  (global $error (export "error") (mut i32) (i32.const 0))
  (global $errorAt (export "errorAt") (mut i32) (i32.const 0))

  (global $row (mut i32) (i32.const 0))
  (global $expected (mut i32) (i32.const 0))
  (global $kind (mut i32) (i32.const 0))
  (global $escaped (mut i32) (i32.const 0))
  (global $char (mut i32) (i32.const 0))
  (global $hasOthers (mut i32) (i32.const 0))
  (global $column (mut i32) (i32.const 0))

  (func $fail (param $error i32) (param $at i32) (result i32)
    (global.set $error (local.get $error))
    (global.set $errorAt (local.get $at))
    (i32.const 0))

  ;; Functions that read something give where it ends, or 0 after a failure.

  (func $blanks (param $at i32) (result i32)
    (local $c i32)
    (loop $next
      (local.set $c (i32.load8_u (local.get $at)))
      (if (i32.or (i32.eq (local.get $c) (i32.const 32))
            (i32.or (i32.eq (local.get $c) (i32.const 9)) (i32.eq (local.get $c) (i32.const 13))))
        (then (local.set $at (i32.add (local.get $at) (i32.const 1))) (br $next))))
    (local.get $at))

  ;; The number of four hexadecimal digits, or -1.
  (func $hex (param $at i32) (result i32)
    (local $end i32) (local $c i32) (local $value i32)
    (local.set $end (i32.add (local.get $at) (i32.const 4)))
    (loop $next
      (local.set $c (i32.load8_u (local.get $at)))
      (if (i32.lt_u (i32.sub (local.get $c) (i32.const 48)) (i32.const 10))
        (then (local.set $c (i32.sub (local.get $c) (i32.const 48))))
        (else
          (local.set $c (i32.sub (i32.or (local.get $c) (i32.const 32)) (i32.const 97)))
          (if (i32.ge_u (local.get $c) (i32.const 6)) (then (return (i32.const -1))))
          (local.set $c (i32.add (local.get $c) (i32.const 10)))))
      (local.set $value (i32.or (i32.shl (local.get $value) (i32.const 4)) (local.get $c)))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $at) (local.get $end))))
    (local.get $value))

  ;; Of an escape from its backslash on; what it stands for is in $char.
  (func $escape (param $at i32) (result i32)
    (local $c i32) (local $low i32)
    (local.set $c (i32.load8_u offset=1 (local.get $at)))
    (if (i32.eq (local.get $c) (i32.const 117))
      (then
        (global.set $char (call $hex (i32.add (local.get $at) (i32.const 2))))
        (if (i32.lt_s (global.get $char) (i32.const 0)) (then (return (call $fail (i32.const 2) (local.get $at)))))
        (if (i32.ne (i32.and (global.get $char) (i32.const 0xf800)) (i32.const 0xd800))
          (then (return (i32.add (local.get $at) (i32.const 6)))))
        (if (i32.and (i32.lt_u (global.get $char) (i32.const 0xdc00))
              (i32.eq (i32.load16_u offset=6 (local.get $at)) (i32.const 0x755c)))
          (then
            (local.set $low (i32.sub (call $hex (i32.add (local.get $at) (i32.const 8))) (i32.const 0xdc00)))
            (if (i32.lt_u (local.get $low) (i32.const 0x400))
              (then
                (global.set $char
                  (i32.add (i32.const 0x10000)
                    (i32.or (i32.shl (i32.sub (global.get $char) (i32.const 0xd800)) (i32.const 10)) (local.get $low))))
                (return (i32.add (local.get $at) (i32.const 12)))))))
        (return (call $fail (i32.const 3) (local.get $at)))))
    (global.set $char (local.get $c))
    (block $known
      (br_if $known (i32.eq (local.get $c) (i32.const 34)))
      (br_if $known (i32.eq (local.get $c) (i32.const 92)))
      (br_if $known (i32.eq (local.get $c) (i32.const 47)))
      (global.set $char (i32.const 10))
      (br_if $known (i32.eq (local.get $c) (i32.const 110)))
      (global.set $char (i32.const 9))
      (br_if $known (i32.eq (local.get $c) (i32.const 116)))
      (global.set $char (i32.const 13))
      (br_if $known (i32.eq (local.get $c) (i32.const 114)))
      (global.set $char (i32.const 8))
      (br_if $known (i32.eq (local.get $c) (i32.const 98)))
      (global.set $char (i32.const 12))
      (br_if $known (i32.eq (local.get $c) (i32.const 102)))
      (return (call $fail (i32.const 2) (local.get $at))))
    (i32.add (local.get $at) (i32.const 2)))

  ;; Of a string from behind its quote on. $escaped tells whether there are escapes in it.
  (func $string (param $at i32) (result i32)
    (local $chars v128) (local $bits i32) (local $c i32)
    (global.set $escaped (i32.const 0))
    (loop $next
      (local.set $chars (v128.load (local.get $at)))
      (local.set $bits
        (i8x16.bitmask
          (v128.or
            (i8x16.lt_u (local.get $chars) (i8x16.splat (i32.const 32)))
            (v128.or
              (i8x16.eq (local.get $chars) (i8x16.splat (i32.const 34)))
              (i8x16.eq (local.get $chars) (i8x16.splat (i32.const 92)))))))
      (if (i32.eqz (local.get $bits))
        (then (local.set $at (i32.add (local.get $at) (i32.const 16))) (br $next)))
      (local.set $at (i32.add (local.get $at) (i32.ctz (local.get $bits))))
      (local.set $c (i32.load8_u (local.get $at)))
      (if (i32.eq (local.get $c) (i32.const 34)) (then (return (i32.add (local.get $at) (i32.const 1)))))
      (if (i32.ne (local.get $c) (i32.const 92)) (then (return (call $fail (i32.const 2) (local.get $at)))))
      (local.set $at (call $escape (local.get $at)))
      (global.set $escaped (i32.const 1))
      (br_if $next (local.get $at)))
    (i32.const 0))

  ;; At least one digit, from $at on.
  (func $digits (param $at i32) (result i32)
    (local $start i32)
    (local.set $start (local.get $at))
    (loop $next
      (if (i32.lt_u (i32.sub (i32.load8_u (local.get $at)) (i32.const 48)) (i32.const 10))
        (then (local.set $at (i32.add (local.get $at) (i32.const 1))) (br $next))))
    (if (i32.eq (local.get $at) (local.get $start)) (then (return (call $fail (i32.const 2) (local.get $at)))))
    (local.get $at))

  ;; Infinity and NaN, which many write though JSON has none, are numbers here; whoever reads them judges.
  (func $number (param $at i32) (result i32)
    (local $c i32)
    (if (i32.eq (i32.load8_u (local.get $at)) (i32.const 45))
      (then (local.set $at (i32.add (local.get $at) (i32.const 1)))))
    (if (i64.eq (i64.load (local.get $at)) (i64.const 0x7974696e69666e49))
      (then (return (i32.add (local.get $at) (i32.const 8)))))
    (if (i32.eq (i32.load8_u (local.get $at)) (i32.const 48))
      (then (local.set $at (i32.add (local.get $at) (i32.const 1))))
      (else
        (local.set $at (call $digits (local.get $at)))
        (if (i32.eqz (local.get $at)) (then (return (i32.const 0))))))
    (if (i32.eq (i32.load8_u (local.get $at)) (i32.const 46))
      (then
        (local.set $at (call $digits (i32.add (local.get $at) (i32.const 1))))
        (if (i32.eqz (local.get $at)) (then (return (i32.const 0))))))
    (if (i32.eq (i32.or (i32.load8_u (local.get $at)) (i32.const 32)) (i32.const 101))
      (then
        (local.set $c (i32.load8_u offset=1 (local.get $at)))
        (local.set $at
          (i32.add (local.get $at)
            (select (i32.const 2) (i32.const 1)
              (i32.or (i32.eq (local.get $c) (i32.const 43)) (i32.eq (local.get $c) (i32.const 45))))))
        (return (call $digits (local.get $at)))))
    (local.get $at))

  ;; Its kind is in $kind. $depth: how many arrays and objects it stands in.
  (func $value (param $at i32) (param $depth i32) (result i32)
    (local $c i32) (local $word i32)
    (local.set $c (i32.load8_u (local.get $at)))
    (if (i32.eq (local.get $c) (i32.const 34))
      (then
        (local.set $at (call $string (i32.add (local.get $at) (i32.const 1))))
        (global.set $kind (i32.add (i32.const 1) (global.get $escaped)))
        (return (local.get $at))))
    (if (i32.eq (i32.or (local.get $c) (i32.const 32)) (i32.const 123))
      (then
        (local.set $at (call $nested (local.get $at) (i32.add (local.get $depth) (i32.const 1))))
        (global.set $kind (i32.const 4))
        (return (local.get $at))))
    (global.set $kind (i32.const 3))
    (local.set $word (i32.load (local.get $at)))
    (if (i32.eq (local.get $word) (i32.const 0x65757274)) (then (return (i32.add (local.get $at) (i32.const 4)))))
    (if (i32.eq (local.get $word) (i32.const 0x6c6c756e))
      (then (global.set $kind (i32.const 0)) (return (i32.add (local.get $at) (i32.const 4)))))
    (if (i32.and (i32.eq (local.get $word) (i32.const 0x736c6166))
          (i32.eq (i32.load8_u offset=4 (local.get $at)) (i32.const 101)))
      (then (return (i32.add (local.get $at) (i32.const 5)))))
    (if (i32.eq (i32.and (local.get $word) (i32.const 0xffffff)) (i32.const 0x4e614e))
      (then (return (i32.add (local.get $at) (i32.const 3)))))
    (call $number (local.get $at)))

  ;; An array or object from its bracket on.
  (func $nested (param $at i32) (param $depth i32) (result i32)
    (local $close i32) (local $c i32)
    (if (i32.gt_u (local.get $depth) (i32.const 1000)) (then (return (call $fail (i32.const 4) (local.get $at)))))
    ;; In ASCII both closing brackets stand two behind the opening ones.
    (local.set $close (i32.add (i32.load8_u (local.get $at)) (i32.const 2)))
    (local.set $at (call $blanks (i32.add (local.get $at) (i32.const 1))))
    (if (i32.eq (i32.load8_u (local.get $at)) (local.get $close))
      (then (return (i32.add (local.get $at) (i32.const 1)))))
    (loop $next
      (if (i32.eq (local.get $close) (i32.const 125))
        (then
          (local.set $at (call $name (local.get $at)))
          (if (i32.eqz (local.get $at)) (then (return (i32.const 0))))
          (local.set $at (call $colon (local.get $at)))
          (if (i32.eqz (local.get $at)) (then (return (i32.const 0))))))
      (local.set $at (call $value (local.get $at) (local.get $depth)))
      (if (i32.eqz (local.get $at)) (then (return (i32.const 0))))
      (local.set $at (call $blanks (local.get $at)))
      (local.set $c (i32.load8_u (local.get $at)))
      (if (i32.eq (local.get $c) (local.get $close)) (then (return (i32.add (local.get $at) (i32.const 1)))))
      (if (i32.ne (local.get $c) (i32.const 44)) (then (return (call $fail (i32.const 2) (local.get $at)))))
      (local.set $at (call $blanks (i32.add (local.get $at) (i32.const 1))))
      (br $next))
    (unreachable))

  (func $name (param $at i32) (result i32)
    (if (i32.ne (i32.load8_u (local.get $at)) (i32.const 34))
      (then (return (call $fail (i32.const 2) (local.get $at)))))
    (call $string (i32.add (local.get $at) (i32.const 1))))

  ;; To where the value begins.
  (func $colon (param $at i32) (result i32)
    (local.set $at (call $blanks (local.get $at)))
    (if (i32.ne (i32.load8_u (local.get $at)) (i32.const 58))
      (then (return (call $fail (i32.const 2) (local.get $at)))))
    (call $blanks (i32.add (local.get $at) (i32.const 1))))

  (func $isSame (param $left i32) (param $right i32) (param $length i32) (result i32)
    (local $other i32)
    (loop $next
      (local.set $other
        (i32.xor (i32.const 0xffff)
          (i8x16.bitmask (i8x16.eq (v128.load (local.get $left)) (v128.load (local.get $right))))))
      (if (i32.le_u (local.get $length) (i32.const 16))
        (then
          (return
            (i32.eqz
              (i32.and (local.get $other) (i32.sub (i32.shl (i32.const 1) (local.get $length)) (i32.const 1)))))))
      (if (local.get $other) (then (return (i32.const 0))))
      (local.set $left (i32.add (local.get $left) (i32.const 16)))
      (local.set $right (i32.add (local.get $right) (i32.const 16)))
      (local.set $length (i32.sub (local.get $length) (i32.const 16)))
      (br $next))
    (unreachable))

  (func $spelling (param $number i32) (result i32)
    (i32.add (i32.const 0x10000) (i32.shl (local.get $number) (i32.const 4))))

  ;; The place in the hash table of the name, or the free one where it would be.
  (func $slot (param $start i32) (param $end i32) (result i32)
    (local $hash i32) (local $at i32) (local $number i32)
    (local.set $hash (i32.const 0x811c9dc5))
    (local.set $at (local.get $start))
    (block $hashed
      (loop $next
        (br_if $hashed (i32.ge_u (local.get $at) (local.get $end)))
        (local.set $hash
          (i32.mul (i32.xor (local.get $hash) (i32.load8_u (local.get $at))) (i32.const 0x01000193)))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $next)))
    (local.set $hash (i32.xor (local.get $hash) (i32.shr_u (local.get $hash) (i32.const 15))))
    (loop $next
      (local.set $hash (i32.and (local.get $hash) (i32.const 0x7fff)))
      (local.set $number (i32.load16_u (i32.shl (local.get $hash) (i32.const 1))))
      (if (local.get $number)
        (then
          (local.set $at (call $spelling (i32.sub (local.get $number) (i32.const 1))))
          (local.set $hash (i32.add (local.get $hash) (i32.const 1)))
          (br_if $next
            (i32.ne (i32.load offset=4 (local.get $at)) (i32.sub (local.get $end) (local.get $start))))
          (br_if $next
            (i32.eqz
              (call $isSame (local.get $start) (i32.load (local.get $at)) (i32.sub (local.get $end) (local.get $start)))))
          (local.set $hash (i32.sub (local.get $hash) (i32.const 1))))))
    (i32.shl (local.get $hash) (i32.const 1)))

  ;; Adds the spelling of $length bytes at $at. There must be room.
  (func (export "spell") (param $at i32) (param $length i32) (param $column i32)
    (local $spelling i32)
    (local.set $spelling (call $spelling (global.get $spellings)))
    (global.set $spellings (i32.add (global.get $spellings) (i32.const 1)))
    (i32.store16
      (call $slot (local.get $at) (i32.add (local.get $at) (local.get $length)))
      (global.get $spellings))
    (i32.store (local.get $spelling) (local.get $at))
    (i32.store offset=4 (local.get $spelling) (local.get $length))
    (i32.store offset=8 (local.get $spelling) (local.get $column)))

  ;; The column of the name, or -1. Names come in much the same order in every line: $expected is the spelling behind it.
  (func $find (param $start i32) (param $end i32) (result i32)
    (local $number i32)
    (local.set $number (i32.load16_u (call $slot (local.get $start) (local.get $end))))
    (if (i32.eqz (local.get $number)) (then (return (call $unknown (local.get $start) (local.get $end)))))
    (global.set $expected (local.get $number))
    (i32.load offset=8 (call $spelling (i32.sub (local.get $number) (i32.const 1)))))

  ;; The name of a member from its quote on. Its column, or -1, is in $column.
  (func $member (param $at i32) (result i32)
    (local $spelling i32) (local $end i32)
    (if (i32.ne (i32.load8_u (local.get $at)) (i32.const 34))
      (then (return (call $fail (i32.const 2) (local.get $at)))))
    (local.set $at (i32.add (local.get $at) (i32.const 1)))
    (if (i32.lt_u (global.get $expected) (global.get $spellings))
      (then
        (local.set $spelling (call $spelling (global.get $expected)))
        (local.set $end (i32.add (local.get $at) (i32.load offset=4 (local.get $spelling))))
        (if (call $isSame (local.get $at) (i32.load (local.get $spelling)) (i32.load offset=4 (local.get $spelling)))
          (then
            ;; What is the same is a whole spelling: a quote behind it ends it.
            (if (i32.eq (i32.load8_u (local.get $end)) (i32.const 34))
              (then
                (global.set $expected (i32.add (global.get $expected) (i32.const 1)))
                (global.set $column (i32.load offset=8 (local.get $spelling)))
                (return (i32.add (local.get $end) (i32.const 1)))))))))
    (local.set $end (call $string (local.get $at)))
    (if (i32.eqz (local.get $end)) (then (return (i32.const 0))))
    (global.set $column (call $find (local.get $at) (i32.sub (local.get $end) (i32.const 1))))
    (local.get $end))

  ;; Notes the value of the column in this row; of a name that comes twice the first counts.
  (func $note (param $column i32) (param $start i32) (param $end i32)
    (local $at i32)
    (local.set $at (i32.add (i32.const 0x50000) (i32.shl (local.get $column) (i32.const 4))))
    (if (i32.eq (i32.load (local.get $at)) (global.get $row)) (then (return)))
    (i32.store (local.get $at) (global.get $row))
    (i32.store offset=4 (local.get $at) (local.get $start))
    (i32.store offset=8 (local.get $at) (local.get $end))
    (i32.store8 offset=12 (local.get $at) (global.get $kind))
    (if (global.get $kind)
      (then
        (i32.store8 offset=14 (local.get $at)
          (i32.or (i32.load8_u offset=14 (local.get $at))
            (select (i32.const 1) (i32.const 2) (i32.lt_u (global.get $kind) (i32.const 3))))))))

  ;; An object from its bracket on.
  (func $object (param $at i32) (result i32)
    (local $c i32) (local $column i32) (local $start i32)
    (global.set $row (i32.add (global.get $row) (i32.const 1)))
    (global.set $expected (i32.const 0))
    (local.set $at (call $blanks (i32.add (local.get $at) (i32.const 1))))
    (if (i32.eq (i32.load8_u (local.get $at)) (i32.const 125))
      (then (return (i32.add (local.get $at) (i32.const 1)))))
    (loop $next
      (local.set $at (call $member (local.get $at)))
      (if (i32.eqz (local.get $at)) (then (return (i32.const 0))))
      (local.set $column (global.get $column))
      (local.set $start (call $colon (local.get $at)))
      (if (i32.eqz (local.get $start)) (then (return (i32.const 0))))
      (local.set $at (call $value (local.get $start) (i32.const 1)))
      (if (i32.eqz (local.get $at)) (then (return (i32.const 0))))
      (if (i32.ge_s (local.get $column) (i32.const 0))
        (then (call $note (local.get $column) (local.get $start) (local.get $at))))
      (local.set $at (call $blanks (local.get $at)))
      (local.set $c (i32.load8_u (local.get $at)))
      (if (i32.eq (local.get $c) (i32.const 125)) (then (return (i32.add (local.get $at) (i32.const 1)))))
      (if (i32.ne (local.get $c) (i32.const 44)) (then (return (call $fail (i32.const 2) (local.get $at)))))
      (local.set $at (call $blanks (i32.add (local.get $at) (i32.const 1))))
      (br $next))
    (unreachable))

  (func $put (param $byte i32)
    (i32.store8 (global.get $out) (local.get $byte))
    (global.set $out (i32.add (global.get $out) (i32.const 1))))

  (func $copy (param $start i32) (param $end i32)
    (local $to i32)
    (local.set $to (global.get $out))
    (global.set $out (i32.add (global.get $out) (i32.sub (local.get $end) (local.get $start))))
    (loop $next
      (v128.store (local.get $to) (v128.load (local.get $start)))
      (local.set $to (i32.add (local.get $to) (i32.const 16)))
      (local.set $start (i32.add (local.get $start) (i32.const 16)))
      (br_if $next (i32.lt_u (local.get $start) (local.get $end)))))

  ;; Copies up to the first $stop or $end and gives where that is. A carriage return, which only stands between the parts
  ;; of what is nested, becomes a space.
  (func $copyUpTo (param $start i32) (param $end i32) (param $stop v128) (result i32)
    (local $chars v128) (local $length i32)
    (loop $next
      (local.set $chars (v128.load (local.get $start)))
      (local.set $chars
        (v128.bitselect
          (i8x16.splat (i32.const 32)) (local.get $chars)
          (i8x16.eq (local.get $chars) (i8x16.splat (i32.const 13)))))
      (v128.store (global.get $out) (local.get $chars))
      (local.set $length
        (i32.ctz (i32.or (i32.const 0x10000) (i8x16.bitmask (i8x16.eq (local.get $chars) (local.get $stop))))))
      (if (i32.ge_u (i32.add (local.get $start) (local.get $length)) (local.get $end))
        (then
          (global.set $out (i32.add (global.get $out) (i32.sub (local.get $end) (local.get $start))))
          (return (local.get $end))))
      (global.set $out (i32.add (global.get $out) (local.get $length)))
      (local.set $start (i32.add (local.get $start) (local.get $length)))
      (br_if $next (i32.eq (local.get $length) (i32.const 16))))
    (local.get $start))

  (func $copyDoublingQuotes (param $start i32) (param $end i32)
    (loop $next
      (local.set $start (call $copyUpTo (local.get $start) (local.get $end) (i8x16.splat (i32.const 34))))
      (if (i32.lt_u (local.get $start) (local.get $end))
        (then
          (call $put (i32.const 34))
          (call $put (i32.const 34))
          (local.set $start (i32.add (local.get $start) (i32.const 1)))
          (br_if $next (i32.lt_u (local.get $start) (local.get $end)))))))

  ;; A character that others stand for.
  (func $putOther (param $char i32)
    (global.set $hasOthers (i32.const 1))
    (if (i32.eq (local.get $char) (i32.const 10)) (then (call $put (i32.const 1)) (return)))
    (if (i32.eq (local.get $char) (i32.const 13)) (then (call $put (i32.const 2)) (return)))
    (call $put (i32.const 3))
    (call $put (i32.add (local.get $char) (i32.const 48))))

  (func $putChar (param $char i32)
    (if (i32.lt_u (local.get $char) (i32.const 0x80))
      (then
        (if (i32.or (i32.lt_u (i32.sub (local.get $char) (i32.const 1)) (i32.const 3))
              (i32.or (i32.eq (local.get $char) (i32.const 10)) (i32.eq (local.get $char) (i32.const 13))))
          (then (call $putOther (local.get $char)) (return)))
        (call $put (local.get $char))
        (if (i32.eq (local.get $char) (i32.const 34)) (then (call $put (i32.const 34))))
        (return)))
    (if (i32.lt_u (local.get $char) (i32.const 0x800))
      (then (call $put (i32.or (i32.const 0xc0) (i32.shr_u (local.get $char) (i32.const 6)))))
      (else
        (if (i32.lt_u (local.get $char) (i32.const 0x10000))
          (then (call $put (i32.or (i32.const 0xe0) (i32.shr_u (local.get $char) (i32.const 12)))))
          (else
            (call $put (i32.or (i32.const 0xf0) (i32.shr_u (local.get $char) (i32.const 18))))
            (call $putRest (i32.shr_u (local.get $char) (i32.const 12)))))
        (call $putRest (i32.shr_u (local.get $char) (i32.const 6)))))
    (call $putRest (local.get $char)))

  (func $putRest (param $bits i32)
    (call $put (i32.or (i32.const 0x80) (i32.and (local.get $bits) (i32.const 0x3f)))))

  (func $copyUnescaped (param $start i32) (param $end i32)
    (loop $next
      (local.set $start (call $copyUpTo (local.get $start) (local.get $end) (i8x16.splat (i32.const 92))))
      (if (i32.lt_u (local.get $start) (local.get $end))
        (then
          (local.set $start (call $escape (local.get $start)))
          (call $putChar (global.get $char))
          (br_if $next (i32.lt_u (local.get $start) (local.get $end)))))))

  ;; The cell of the column at $at.
  (func $putCell (param $at i32)
    (local $kind i32) (local $start i32) (local $end i32)
    (if (i32.ne (i32.load (local.get $at)) (global.get $row)) (then (return)))
    (if (i32.eqz (i32.load8_u offset=13 (local.get $at))) (then (return)))
    (local.set $kind (i32.load8_u offset=12 (local.get $at)))
    (if (i32.eqz (local.get $kind)) (then (return)))
    (local.set $start (i32.load offset=4 (local.get $at)))
    (local.set $end (i32.load offset=8 (local.get $at)))
    (if (i32.eq (local.get $kind) (i32.const 3)) (then (call $copy (local.get $start) (local.get $end)) (return)))
    (if (i32.and (i32.lt_u (local.get $kind) (i32.const 3))
          (i32.eq (i32.load8_u offset=13 (local.get $at)) (i32.const 1)))
      (then
        ;; Its own quotes are not part of the text, and those of CSV stand where they stood.
        (if (i32.eq (local.get $kind) (i32.const 1))
          (then (call $copy (local.get $start) (local.get $end)))
          (else
            (call $put (i32.const 34))
            (call $copyUnescaped
              (i32.add (local.get $start) (i32.const 1)) (i32.sub (local.get $end) (i32.const 1)))
            (call $put (i32.const 34))))
        (return)))
    (call $put (i32.const 34))
    (call $copyDoublingQuotes (local.get $start) (local.get $end))
    (call $put (i32.const 34)))

  ;; The row: a cell for each column, between 1 and what tells of others.
  (func $putRow
    (local $at i32) (local $end i32)
    (call $put (i32.const 49))
    (global.set $hasOthers (i32.const 0))
    (local.set $at (i32.const 0x50000))
    (local.set $end (i32.add (local.get $at) (i32.shl (global.get $columns) (i32.const 4))))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
        (call $put (i32.const 44))
        (call $putCell (local.get $at))
        (local.set $at (i32.add (local.get $at) (i32.const 16)))
        (br $next)))
    (call $put (i32.const 44))
    (call $put (i32.add (i32.const 48) (global.get $hasOthers)))
    (call $put (i32.const 10)))

  ;; Reads the lines of [$at, $end), $most at most, and writes rows of them if $isWritten. Gives where it left off.
  (func (export "read") (param $at i32) (param $end i32) (param $most i32) (param $isWritten i32) (result i32)
    (local $next i32)
    (global.set $rows (i32.const 0))
    (global.set $error (i32.const 0))
    (loop $lines
      (local.set $at (call $blanks (local.get $at)))
      (if (i32.or (i32.ge_u (local.get $at) (local.get $end)) (i32.eq (global.get $rows) (local.get $most)))
        (then (return (local.get $at))))
      (if (i32.eq (i32.load8_u (local.get $at)) (i32.const 10))
        (then (local.set $at (i32.add (local.get $at) (i32.const 1))) (br $lines)))
      (if (i32.ne (i32.load8_u (local.get $at)) (i32.const 123))
        (then (return (call $fail (i32.const 1) (local.get $at)))))
      (local.set $next (call $object (local.get $at)))
      (if (i32.eqz (local.get $next)) (then (return (i32.const 0))))
      (local.set $next (call $blanks (local.get $next)))
      (if (i32.ne (i32.load8_u (local.get $next)) (i32.const 10))
        (then (return (call $fail (i32.const 5) (local.get $next)))))
      (if (i32.gt_u (i32.sub (local.get $next) (local.get $at)) (global.get $longest))
        (then (global.set $longest (i32.sub (local.get $next) (local.get $at)))))
      (if (local.get $isWritten)
        (then
          ;; A quote of JSON text is doubled; beside each cell stand two quotes and a comma at most.
          (if (i32.lt_u (i32.sub (global.get $outEnd) (global.get $out))
                (i32.add (i32.mul (i32.sub (local.get $next) (local.get $at)) (i32.const 2))
                  (i32.add (i32.mul (global.get $columns) (i32.const 3)) (i32.const 4))))
            (then (global.set $error (i32.const 6)) (return (local.get $at))))
          (call $putRow)))
      (global.set $rows (i32.add (global.get $rows) (i32.const 1)))
      (local.set $at (i32.add (local.get $next) (i32.const 1)))
      (br $lines))
    (unreachable)))
