;; Takes the rows out of the messages of a binary COPY: part of a module, whose other part says how cells are written. A row
;; is the number of its columns in two bytes, then of each column the length of its value in four, -1 for NULL, and the
;; value; the highest byte stands first everywhere.
;;
;; Sixteen bytes are read and written at a time, past the end of what counts: every region has room behind it.
;; `copy-cells.ts` puts here, from 4352, the kinds of columns, one byte each; the regions of what came and of rows are last.
;; Kinds: 0 text, 1 jsonb, 2 bool, 3 to 5 integers of 2, 4 and 8 bytes, 6 oid, 7 uuid, 8 date, 9 timestamp, 10 timestamptz,
;; 11 decimal, which is a numeric of 38 digits at most.
(memory (export "memory") 2)

(global $columns (export "columns") (mut i32) (i32.const 0))
;; What is to be read, where the next row's bytes go, and up to where they may.
(global $at (export "at") (mut i32) (i32.const 0))
(global $end (export "end") (mut i32) (i32.const 0))
(global $out (export "out") (mut i32) (i32.const 0))
(global $outEnd (export "outEnd") (mut i32) (i32.const 0))
;; What a row may take beside its texts.
(global $plain (export "plain") (mut i32) (i32.const 0))
;; The cell that is next, where its message ends, and how long the value is at which the module stopped.
(global $column (export "column") (mut i32) (i32.const 0))
(global $stop (mut i32) (i32.const 0))
(global $length (export "length") (mut i32) (i32.const 0))
;; What room the message at $at needs; -1 for more than there is to be, for messages of more than 256 MiB.
(global $room (export "room") (mut i32) (i32.const 0))
;; Whether the file's header is still to come, and whether a row is under way.
(global $isNew (export "isNew") (mut i32) (i32.const 1))
(global $isWithin (export "isWithin") (mut i32) (i32.const 0))
(global $count (export "count") (mut i64) (i64.const 0))

(func $be16 (param $at i32) (result i32)
  (i32.or
    (i32.shl (i32.load8_u (local.get $at)) (i32.const 8))
    (i32.load8_u offset=1 (local.get $at))))

(func $be32 (param $at i32) (result i32)
  (local $n i32)
  (local.set $n (i32.load (local.get $at)))
  (i32.or
    (i32.and (i32.rotl (local.get $n) (i32.const 8)) (i32.const 0x00ff00ff))
    (i32.and (i32.rotr (local.get $n) (i32.const 8)) (i32.const 0xff00ff00))))

(func $be64 (param $at i32) (result i64)
  (i64.or
    (i64.shl (i64.extend_i32_u (call $be32 (local.get $at))) (i64.const 32))
    (i64.extend_i32_u (call $be32 (i32.add (local.get $at) (i32.const 4))))))

(func $must (param $holds i32)
  (if (i32.eqz (local.get $holds)) (then (unreachable))))

;; The group of four digits at index $at of $count ones, the first of which stand for nothing below 0.
(func $group (param $values i32) (param $count i32) (param $at i32) (result i32)
  (local $group i32)
  ;; Negative indices are large ones.
  (if (i32.ge_u (local.get $at) (local.get $count)) (then (return (i32.const 0))))
  (local.set $group (call $be16 (i32.add (local.get $values) (i32.shl (local.get $at) (i32.const 1)))))
  (call $must (i32.lt_u (local.get $group) (i32.const 10000)))
  (local.get $group))

;; The digits of the groups from index $next up to $end.
(func $groups (param $values i32) (param $count i32) (param $next i32) (param $end i32) (param $out i32) (result i32)
  (block $done
    (loop $more
      (br_if $done (i32.ge_s (local.get $next) (local.get $end)))
      (local.set $out
        (call $padded
          (i64.extend_i32_u (call $group (local.get $values) (local.get $count) (local.get $next)))
          (i32.const 4)
          (local.get $out)))
      (local.set $next (i32.add (local.get $next) (i32.const 1)))
      (br $more)))
  (local.get $out))

;; Groups of four digits, their number, the weight of the first (in groups before the point, less one), the sign and how
;; many digits stand behind the point. 0 where it is no number.
(func $decimalValue (param $at i32) (param $length i32) (param $out i32) (result i32)
  (local $count i32) (local $weight i32) (local $sign i32) (local $scale i32) (local $next i32)
  (call $must (i32.ge_u (local.get $length) (i32.const 8)))
  (local.set $count (call $be16 (local.get $at)))
  (local.set $weight (i32.extend16_s (call $be16 (i32.add (local.get $at) (i32.const 2)))))
  (local.set $sign (call $be16 (i32.add (local.get $at) (i32.const 4))))
  (local.set $scale (call $be16 (i32.add (local.get $at) (i32.const 6))))
  (call $must
    (i32.eq
      (local.get $length)
      (i32.add (i32.const 8) (i32.shl (local.get $count) (i32.const 1)))))
  (if (i32.ge_u (local.get $sign) (i32.const 0xc000)) (then (return (i32.const 0))))
  ;; Of 38 digits at most, which is what a decimal has.
  (call $must (i32.and (i32.lt_s (local.get $weight) (i32.const 10)) (i32.le_u (local.get $scale) (i32.const 38))))
  (if (local.get $sign)
    (then
      (i32.store8 (local.get $out) (i32.const 45))
      (local.set $out (i32.add (local.get $out) (i32.const 1)))))
  (local.set $at (i32.add (local.get $at) (i32.const 8)))
  (local.set $out
    (call $unsigned
      (i64.extend_i32_u
        (call $group
          (local.get $at)
          (select (i32.const 0) (local.get $count) (i32.lt_s (local.get $weight) (i32.const 0)))
          (i32.const 0)))
      (local.get $out)))
  (local.set $next (i32.add (local.get $weight) (i32.const 1)))
  (local.set $out (call $groups (local.get $at) (local.get $count) (i32.const 1) (local.get $next) (local.get $out)))
  (if (i32.eqz (local.get $scale)) (then (return (local.get $out))))
  (i32.store8 (local.get $out) (i32.const 46))
  (local.set $out (i32.add (local.get $out) (i32.const 1)))
  (drop
    (call $groups
      (local.get $at)
      (local.get $count)
      (local.get $next)
      (i32.add (local.get $next) (i32.shr_u (i32.add (local.get $scale) (i32.const 3)) (i32.const 2)))
      (local.get $out)))
  (i32.add (local.get $out) (local.get $scale)))

(func $integer (param $value i64) (param $out i32) (result i32)
  (call $decimal (local.get $value) (i32.const 0) (i32.const 46) (local.get $out)))

;; A value of $length bytes; 0 where it is a date, a moment or a number the caller is to write. Days and moments are told
;; since 2000.
(func $value (param $column i32) (param $at i32) (param $length i32) (param $out i32) (result i32)
  (block $text (block $jsonb (block $bool (block $int2 (block $int4 (block $int8 (block $oid (block $uuid (block $date
    (block $timestamp (block $timestamptz (block $decimalValue
      (br_table $text $jsonb $bool $int2 $int4 $int8 $oid $uuid $date $timestamp $timestamptz $decimalValue (i32.load8_u offset=4352 (local.get $column))))
      (return (call $decimalValue (local.get $at) (local.get $length) (local.get $out))))
      (call $must (i32.eq (local.get $length) (i32.const 8)))
      (return (call $moment (i64.add (call $be64 (local.get $at)) (i64.const 946684800000000)) (i32.const 1) (local.get $out))))
      (call $must (i32.eq (local.get $length) (i32.const 8)))
      (return (call $moment (i64.add (call $be64 (local.get $at)) (i64.const 946684800000000)) (i32.const 0) (local.get $out))))
    (call $must (i32.eq (local.get $length) (i32.const 4)))
    (return (call $date (i32.add (call $be32 (local.get $at)) (i32.const 10957)) (local.get $out))))
    (call $must (i32.eq (local.get $length) (i32.const 16)))
    (return (call $uuid (v128.load (local.get $at)) (local.get $out))))
    (call $must (i32.eq (local.get $length) (i32.const 4)))
    (return (call $integer (i64.extend_i32_u (call $be32 (local.get $at))) (local.get $out))))
    (call $must (i32.eq (local.get $length) (i32.const 8)))
    (return (call $integer (call $be64 (local.get $at)) (local.get $out))))
    (call $must (i32.eq (local.get $length) (i32.const 4)))
    (return (call $integer (i64.extend_i32_s (call $be32 (local.get $at))) (local.get $out))))
    (call $must (i32.eq (local.get $length) (i32.const 2)))
    (return (call $integer (i64.extend_i32_s (i32.extend16_s (call $be16 (local.get $at)))) (local.get $out))))
    (call $must (i32.eq (local.get $length) (i32.const 1)))
    (return (call $bool (i32.load8_u (local.get $at)) (local.get $out))))
    ;; The first byte is the version of what follows.
    (call $must (i32.and (i32.ne (local.get $length) (i32.const 0)) (i32.eq (i32.load8_u (local.get $at)) (i32.const 1))))
    (local.set $at (i32.add (local.get $at) (i32.const 1)))
    (local.set $length (i32.sub (local.get $length) (i32.const 1))))
  (call $cellText (local.get $column) (local.get $at) (local.get $length) (local.get $out)))

;; The cells of the row under way. Gives 0 when it is whole, 2 where the caller is to write the cell at $at.
(func $cells (result i32)
  (local $at i32) (local $out i32) (local $column i32) (local $length i32) (local $written i32)
  (local.set $at (global.get $at))
  (local.set $out (global.get $out))
  (local.set $column (global.get $column))
  (block $done
    (loop $next
      (br_if $done (i32.eq (local.get $column) (global.get $columns)))
      (local.set $out (call $head (local.get $column) (local.get $out)))
      (call $must (i32.ge_s (i32.sub (global.get $stop) (local.get $at)) (i32.const 4)))
      (local.set $length (call $be32 (local.get $at)))
      (local.set $at (i32.add (local.get $at) (i32.const 4)))
      (if (i32.eq (local.get $length) (i32.const -1))
        (then (local.set $out (call $null (local.get $column) (local.get $out))))
        (else
          (call $must (i32.le_u (local.get $length) (i32.sub (global.get $stop) (local.get $at))))
          (local.set $written
            (call $value
              (local.get $column)
              (local.get $at)
              (local.get $length)
              (local.get $out)))
          (if (i32.eqz (local.get $written))
            (then
              (global.set $at (local.get $at))
              (global.set $out (local.get $out))
              (global.set $column (local.get $column))
              (global.set $length (local.get $length))
              (return (i32.const 2))))
          (local.set $out (call $tail (local.get $column) (local.get $written)))
          (local.set $at (i32.add (local.get $at) (local.get $length)))))
      (local.set $column (i32.add (local.get $column) (i32.const 1)))
      (br $next)))
  (call $must (i32.eq (local.get $at) (global.get $stop)))
  (global.set $at (local.get $at))
  (global.set $out (call $endRow (local.get $out)))
  (global.set $isWithin (i32.const 0))
  (i32.const 0))

;; Begins the message at $at, of rows and whole: the file's header, a row, or what ends the file.
(func $begin
  (local $columns i32)
  (if (global.get $isNew)
    (then
      ;; "PGCOPY\n\377\r\n\0", no flags, nothing more.
      (call $must (i32.ge_s (i32.sub (global.get $stop) (global.get $at)) (i32.const 19)))
      (call $must (i64.eq (i64.load (global.get $at)) (i64.const 0xff0a59504f434750)))
      (call $must (i64.eq (i64.load offset=8 (global.get $at)) (i64.const 0x0a0d)))
      (call $must (i64.eqz (i64.load offset=11 (global.get $at))))
      (global.set $isNew (i32.const 0))
      (global.set $at (i32.add (global.get $at) (i32.const 19)))))
  (if (i32.eq (global.get $at) (global.get $stop)) (then (return)))
  (call $must (i32.ge_s (i32.sub (global.get $stop) (global.get $at)) (i32.const 2)))
  (local.set $columns (call $be16 (global.get $at)))
  (global.set $at (i32.add (global.get $at) (i32.const 2)))
  (if (i32.eq (local.get $columns) (i32.const 0xffff))
    (then
      (call $must (i32.eq (global.get $at) (global.get $stop)))
      (return)))
  (call $must (i32.eq (local.get $columns) (global.get $columns)))
  (global.set $count (i64.add (global.get $count) (i64.const 1)))
  (global.set $column (i32.const 0))
  (global.set $isWithin (i32.const 1)))

;; Takes what can be taken. Gives 1 where more has to come, 2 where the caller is to write the cell at $at and to go on
;; behind it, 3 where a message stands that is none of rows, 4 where $room is needed behind $out.
(func (export "take") (result i32)
  (local $length i32) (local $has i32)
  (loop $next
    (if (global.get $isWithin) (then (if (call $cells) (then (return (i32.const 2))))))
    (local.set $has (i32.sub (global.get $end) (global.get $at)))
    (if (i32.eqz (local.get $has)) (then (return (i32.const 1))))
    (if (i32.ne (i32.load8_u (global.get $at)) (i32.const 100)) (then (return (i32.const 3))))
    (if (i32.lt_u (local.get $has) (i32.const 5)) (then (return (i32.const 1))))
    ;; The length counts itself.
    (local.set $length (call $be32 (i32.add (global.get $at) (i32.const 1))))
    (if (i32.gt_u (local.get $length) (i32.const 0x10000000))
      (then
        (global.set $room (i32.const -1))
        (return (i32.const 4))))
    (if (i32.gt_u (i32.add (local.get $length) (i32.const 1)) (local.get $has)) (then (return (i32.const 1))))
    (global.set $room (i32.add (i32.mul (local.get $length) (global.get $expansion)) (global.get $plain)))
    (if (i32.gt_u (global.get $room) (i32.sub (global.get $outEnd) (global.get $out))) (then (return (i32.const 4))))
    (global.set $stop (i32.add (global.get $at) (i32.add (local.get $length) (i32.const 1))))
    (global.set $at (i32.add (global.get $at) (i32.const 5)))
    (call $begin)
    (br $next))
  (unreachable))
