;; Writes rows out of the engine's vectors: a vector's bytes are values side by side, as DuckDB's C API gives them. Part of a
;; module, with value-text.wat and with what says how cells stand in a row: $head writes what comes before a cell, $null a
;; cell without a value and what comes before it, $text a text, $endRow the end of a row, all
;; of them at $out, and give where the next byte goes; and $point, what stands in decimals.
;;
;; Sixteen bytes are read and written at a time, past the end of what counts: every region has room behind it.
;; `vector-rows.ts` puts here: from 0 the powers of ten that an i64 holds, 8 bytes each; from 256 what csv-text.wat wants;
;; from 4352 the columns. A column has 16 bytes: its kind, its scale (for moments: whether a Z ends them), where its values
;; stand, and where its validity stands, a bit for each row, or 0 where every row has a value.
;; Kinds: 0 text, 1 bool, 2 to 4 integer or decimal of 16, 32 and 64 bits, 5 uuid, 6 date, 7 time, 8 moment.
(memory (export "memory") 2)

(global $columns (export "columns") (mut i32) (i32.const 0))
;; The cell that is written next, and where its bytes go.
(global $row (export "row") (mut i32) (i32.const 0))
(global $column (export "column") (mut i32) (i32.const 0))
(global $out (export "out") (mut i32) (i32.const 0))

;; The bytes of a UUID: the engine has the lowest first and the highest bit turned over.
(func $uuidBytes (param $at i32) (result v128)
  (local $bytes v128)
  (local.set $bytes (v128.load (local.get $at)))
  (v128.xor
    (i8x16.shuffle 15 14 13 12 11 10 9 8 7 6 5 4 3 2 1 0 (local.get $bytes) (local.get $bytes))
    (v128.const i8x16 0x80 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0)))

;; A value of $row; 0 where the caller is to write it.
(func $value (param $column i32) (param $row i32) (param $out i32) (result i32)
  (local $values i32) (local $scale i32) (local $at i32) (local $length i32)
  (local.set $scale (i32.load offset=4 (local.get $column)))
  (local.set $values (i32.load offset=8 (local.get $column)))
  (block $text (block $bool (block $int16 (block $int32 (block $int64 (block $uuid (block $date (block $time (block $moment
    (br_table $text $bool $int16 $int32 $int64 $uuid $date $time $moment (i32.load (local.get $column))))
    (return
      (call $moment
        (i64.load (i32.add (local.get $values) (i32.shl (local.get $row) (i32.const 3))))
        (local.get $scale)
        (local.get $out))))
    (return
      (call $time (i64.load (i32.add (local.get $values) (i32.shl (local.get $row) (i32.const 3)))) (local.get $out))))
    (return
      (call $date (i32.load (i32.add (local.get $values) (i32.shl (local.get $row) (i32.const 2)))) (local.get $out))))
    (return
      (call $uuid
        (call $uuidBytes (i32.add (local.get $values) (i32.shl (local.get $row) (i32.const 4))))
        (local.get $out))))
    (return
      (call $decimal
        (i64.load (i32.add (local.get $values) (i32.shl (local.get $row) (i32.const 3))))
        (local.get $scale)
        (global.get $point)
        (local.get $out))))
    (return
      (call $decimal
        (i64.load32_s (i32.add (local.get $values) (i32.shl (local.get $row) (i32.const 2))))
        (local.get $scale)
        (global.get $point)
        (local.get $out))))
    (return
      (call $decimal
        (i64.load16_s (i32.add (local.get $values) (i32.shl (local.get $row) (i32.const 1))))
        (local.get $scale)
        (global.get $point)
        (local.get $out))))
    (return (call $bool (i32.load8_u (i32.add (local.get $values) (local.get $row))) (local.get $out))))
  ;; Short text stands in the value itself; of longer the caller has put the place there.
  (local.set $at (i32.add (local.get $values) (i32.shl (local.get $row) (i32.const 4))))
  (local.set $length (i32.load (local.get $at)))
  (call $text
    (if (result i32) (i32.le_u (local.get $length) (i32.const 12))
      (then (i32.add (local.get $at) (i32.const 4)))
      (else (i32.load offset=8 (local.get $at))))
    (local.get $length)
    (local.get $out)))

;; Whether the column has no value in the row.
(func $lacks (param $column i32) (param $row i32) (result i32)
  (local $validity i32)
  (local.set $validity (i32.load offset=12 (local.get $column)))
  (if (i32.eqz (local.get $validity)) (then (return (i32.const 0))))
  (i32.eqz
    (i32.and
      (i32.shr_u
        (i32.load8_u (i32.add (local.get $validity) (i32.shr_u (local.get $row) (i32.const 3))))
        (i32.and (local.get $row) (i32.const 7)))
      (i32.const 1))))

;; Writes up to the row $end. Gives 1 where the caller is to write the cell at $row and $column and to call again.
(func (export "write") (param $end i32) (result i32)
  (local $column i32) (local $at i32) (local $out i32) (local $written i32)
  (local.set $column (global.get $column))
  (local.set $at (call $columnAt (local.get $column)))
  (local.set $out (global.get $out))
  (loop $next
    (if (i32.eq (local.get $column) (global.get $columns))
      (then
        (local.set $out (call $endRow (local.get $out)))
        (global.set $row (i32.add (global.get $row) (i32.const 1)))
        (local.set $column (i32.const 0))
        (local.set $at (call $columnAt (i32.const 0)))))
    (if (i32.eq (global.get $row) (local.get $end))
      (then
        (global.set $column (i32.const 0))
        (global.set $out (local.get $out))
        (return (i32.const 0))))
    (if (call $lacks (local.get $at) (global.get $row))
      (then (local.set $out (call $null (local.get $column) (local.get $out))))
      (else
        (local.set $out (call $head (local.get $column) (local.get $out)))
        (local.set $written (call $value (local.get $at) (global.get $row) (local.get $out)))
        (if (i32.eqz (local.get $written))
          (then
            (global.set $column (local.get $column))
            (global.set $out (local.get $out))
            (return (i32.const 1))))
        (local.set $out (local.get $written))))
    (local.set $column (i32.add (local.get $column) (i32.const 1)))
    (local.set $at (i32.add (local.get $at) (i32.const 16)))
    (br $next))
  (unreachable))

(func $columnAt (param $column i32) (result i32)
  (i32.add (i32.const 4352) (i32.shl (local.get $column) (i32.const 4))))

;; Bytes as they are.
(func $copy (param $from i32) (param $length i32) (param $out i32) (result i32)
  (local $done i32)
  (loop $next
    (v128.store
      (i32.add (local.get $out) (local.get $done))
      (v128.load (i32.add (local.get $from) (local.get $done))))
    (br_if $next (i32.lt_u (local.tee $done (i32.add (local.get $done) (i32.const 16))) (local.get $length))))
  (i32.add (local.get $out) (local.get $length)))

;; Bytes of the texts of some rows, whose values begin at $values.
(func (export "textBytes") (param $values i32) (param $row i32) (param $end i32) (result f64)
  (local $bytes i64)
  (block $done
    (loop $next
      (br_if $done (i32.eq (local.get $row) (local.get $end)))
      (local.set $bytes
        (i64.add
          (local.get $bytes)
          (i64.load32_u (i32.add (local.get $values) (i32.shl (local.get $row) (i32.const 4))))))
      (local.set $row (i32.add (local.get $row) (i32.const 1)))
      (br $next)))
  (f64.convert_i64_u (local.get $bytes)))

;; What $span found: where its texts begin in the engine's memory, in which row, and how many bytes they take there.
(global $low (mut i64) (i64.const 0))
(global $lowest (export "lowest") (mut i32) (i32.const 0))
(global $length (export "length") (mut i32) (i32.const 0))

;; Texts of more than 12 bytes from $row on that stand within 4096 bytes of each other in the engine's memory: no page
;; fits between them, so what lies there can be read. Gives the row of the next one that does not, or $end.
(func (export "span") (param $values i32) (param $row i32) (param $end i32) (result i32)
  (local $at i32) (local $first i64) (local $last i64) (local $low i64) (local $high i64)
  (global.set $length (i32.const 0))
  (block $done
    (loop $next
      (br_if $done (i32.eq (local.get $row) (local.get $end)))
      (local.set $at (i32.add (local.get $values) (i32.shl (local.get $row) (i32.const 4))))
      (if (i32.gt_u (i32.load (local.get $at)) (i32.const 12))
        (then
          (local.set $first (i64.load offset=8 (local.get $at)))
          (local.set $last (i64.add (local.get $first) (i64.load32_u (local.get $at))))
          (if (i64.eqz (local.get $high))
            (then
              (local.set $low (local.get $first))
              (local.set $high (local.get $last))
              (global.set $lowest (local.get $row))))
          (br_if $done (i64.ge_u (local.get $first) (i64.add (local.get $high) (i64.const 4096))))
          (br_if $done (i64.le_u (i64.add (local.get $last) (i64.const 4096)) (local.get $low)))
          (if (i64.lt_u (local.get $first) (local.get $low))
            (then
              (local.set $low (local.get $first))
              (global.set $lowest (local.get $row))))
          (if (i64.gt_u (local.get $last) (local.get $high)) (then (local.set $high (local.get $last))))))
      (local.set $row (i32.add (local.get $row) (i32.const 1)))
      (br $next)))
  (global.set $low (local.get $low))
  (global.set $length (i32.wrap_i64 (i64.sub (local.get $high) (local.get $low))))
  (local.get $row))

;; The span's texts, of these rows, stand at $to from now on.
(func (export "move") (param $values i32) (param $row i32) (param $end i32) (param $to i32)
  (local $at i32)
  (local.set $to (i32.sub (local.get $to) (i32.wrap_i64 (global.get $low))))
  (block $done
    (loop $next
      (br_if $done (i32.eq (local.get $row) (local.get $end)))
      (local.set $at (i32.add (local.get $values) (i32.shl (local.get $row) (i32.const 4))))
      (if (i32.gt_u (i32.load (local.get $at)) (i32.const 12))
        (then (i32.store offset=8 (local.get $at) (i32.add (i32.load offset=8 (local.get $at)) (local.get $to)))))
      (local.set $row (i32.add (local.get $row) (i32.const 1)))
      (br $next))))
