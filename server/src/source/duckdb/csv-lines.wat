;; Reads lines of CSV: finds where rows end and what is not as it should be, and writes the rows for landing: a 1 before
;; each, so that none is blank or begins with a byte order mark, and what `landed-text.ts` has within and behind it.
;;
;; A quote opens where a cell begins, behind blanks or none. In an open one a quote closes it unless another follows.
;; Blanks around the quotes do not land: of several the engine would take a quote for a character.
;;
;; Sixteen bytes are read and written at a time, past the end of what counts.
(module
  (import "memory" "memory" (memory 1))

  (global $delimiter (export "delimiter") (mut i32) (i32.const 44))
  ;; Whether a carriage return alone ends a row, too.
  (global $isMac (export "isMac") (mut i32) (i32.const 0))
  ;; Whether blank lines are rows.
  (global $hasBlanks (export "hasBlanks") (mut i32) (i32.const 0))

  ;; Whether a row, and a quote in it, is open, where that quote stood, and whether the row has characters that others stand for.
  (global $isOpen (mut i32) (i32.const 0))
  (global $hasOthers (mut i32) (i32.const 0))
  (global $isQuoted (export "isQuoted") (mut i32) (i32.const 0))
  (global $quoteAt (export "quoteAt") (mut i32) (i32.const 0))

  ;; Rows that ended in a call, and where the last of them did.
  (global $rows (export "rows") (mut i32) (i32.const 0))
  (global $rowsEnd (export "rowsEnd") (mut i32) (i32.const 0))
  ;; Bytes of the longest row; those of the open one from calls before; and where it goes on in this one.
  (global $longest (export "longest") (mut i32) (i32.const 0))
  (global $rowBytes (mut i32) (i32.const 0))
  (global $rowAt (mut i32) (i32.const 0))

  ;; Where the next byte goes, and where there is no more room, but for some hundred bytes.
  (global $out (export "out") (mut i32) (i32.const 0))
  (global $outEnd (export "outEnd") (mut i32) (i32.const 0))

  ;; 1 for a carriage return that ends no row, 2 for what stands behind a quote, 3 for too many blanks before one.
  (global $error (export "error") (mut i32) (i32.const 0))

  (func $put (param $byte i32)
    (i32.store8 (global.get $out) (local.get $byte))
    (global.set $out (i32.add (global.get $out) (i32.const 1))))

  ;; The byte behind the line end at $at; $at where there is none, or one that is an error.
  (func $lineEnd (param $at i32) (result i32)
    (if (i32.eq (i32.load16_u (local.get $at)) (i32.const 0x0a0d))
      (then (return (i32.add (local.get $at) (i32.const 2)))))
    (if (i32.eq (i32.load8_u (local.get $at)) (i32.const 13))
      (then (global.set $error (i32.eqz (global.get $isMac)))))
    (i32.add (local.get $at)
      (i32.or (i32.eq (i32.load8_u (local.get $at)) (i32.const 10))
        (i32.and (global.get $isMac) (i32.eq (i32.load8_u (local.get $at)) (i32.const 13))))))

  ;; Begins a row at $at, or passes over a blank line that is none. Gives where to go on.
  (func $begin (param $at i32) (result i32)
    (local $next i32)
    (if (i32.eqz (global.get $hasBlanks))
      (then
        (local.set $next (call $lineEnd (local.get $at)))
        (if (i32.or (global.get $error) (i32.ne (local.get $next) (local.get $at)))
          (then (return (local.get $next))))))
    (global.set $isOpen (i32.const 1))
    (global.set $hasOthers (i32.const 0))
    (global.set $rowBytes (i32.const 0))
    (global.set $rowAt (local.get $at))
    (call $put (i32.const 49))
    (call $put (global.get $delimiter))
    (local.get $at))

  ;; Ends a row with the line end behind which $at is.
  (func $end (param $at i32) (result i32)
    (local $bytes i32)
    (call $put (global.get $delimiter))
    (call $put (i32.add (i32.const 48) (global.get $hasOthers)))
    (call $put (i32.const 10))
    (local.set $bytes (i32.add (global.get $rowBytes) (i32.sub (local.get $at) (global.get $rowAt))))
    (if (i32.gt_u (local.get $bytes) (global.get $longest)) (then (global.set $longest (local.get $bytes))))
    (global.set $isOpen (i32.const 0))
    (global.set $rows (i32.add (global.get $rows) (i32.const 1)))
    (global.set $rowsEnd (local.get $at))
    (local.get $at))

  ;; The first byte from $at on, in steps of $step, that is no blank.
  (func $noBlank (param $at i32) (param $step i32) (result i32)
    (loop $next
      (if (i32.eq (i32.load8_u (local.get $at)) (i32.const 32))
        (then (local.set $at (i32.add (local.get $at) (local.get $step))) (br $next))))
    (local.get $at))

  ;; Whether a cell ends at $at, or right behind it.
  (func $isBorder (param $at i32) (result i32)
    (local $c i32)
    (local.set $c (i32.load8_u (local.get $at)))
    (i32.or (i32.eq (local.get $c) (global.get $delimiter))
      (i32.or (i32.eq (local.get $c) (i32.const 10)) (i32.eq (local.get $c) (i32.const 13)))))

  ;; Opens a quote where a cell begins; blanks before it are taken back. Elsewhere it stands for itself.
  (func $openQuote (param $at i32) (result i32)
    (local $blanks i32)
    (local.set $blanks
      (i32.sub (i32.sub (local.get $at) (i32.const 1))
        (call $noBlank (i32.sub (local.get $at) (i32.const 1)) (i32.const -1))))
    (if (call $isBorder (i32.sub (local.get $at) (i32.const 1))) (then (local.set $blanks (i32.const 0))))
    (if (call $isBorder (i32.sub (i32.sub (local.get $at) (i32.const 1)) (local.get $blanks)))
      (then
        (global.set $isQuoted (i32.const 1))
        (global.set $quoteAt (local.get $at))
        (if (i32.gt_u (local.get $blanks) (i32.const 200)) (then (global.set $error (i32.const 3))))
        (global.set $out (i32.sub (global.get $out) (local.get $blanks)))))
    (call $put (i32.const 34))
    (i32.add (local.get $at) (i32.const 1)))

  ;; A quote in an open one. Blanks behind one that closes are passed over.
  (func $innerQuote (param $at i32) (result i32)
    (call $put (i32.const 34))
    (local.set $at (i32.add (local.get $at) (i32.const 1)))
    (if (i32.eq (i32.load8_u (local.get $at)) (i32.const 34))
      (then
        (call $put (i32.const 34))
        (return (i32.add (local.get $at) (i32.const 1)))))
    (global.set $isQuoted (i32.const 0))
    (if (call $isBorder (local.get $at)) (then (return (local.get $at))))
    (local.set $at (call $noBlank (local.get $at) (i32.const 1)))
    (if (i32.eqz (call $isBorder (local.get $at))) (then (global.set $error (i32.const 2))))
    (local.get $at))

  (func $putOther (param $byte i32)
    (global.set $hasOthers (i32.const 1))
    (call $put (local.get $byte)))

  ;; A character below U+000E. Gives where to go on.
  (func $control (param $at i32) (param $char i32) (result i32)
    (local $next i32)
    (local.set $next (i32.add (local.get $at) (i32.const 1)))
    (if (i32.le_u (i32.sub (local.get $char) (i32.const 1)) (i32.const 2))
      (then
        (call $putOther (i32.const 3))
        (call $put (i32.add (local.get $char) (i32.const 48)))
        (return (local.get $next))))
    (if (i32.and (i32.ne (local.get $char) (i32.const 10)) (i32.ne (local.get $char) (i32.const 13)))
      (then (call $put (local.get $char)) (return (local.get $next))))
    (if (global.get $isQuoted)
      (then
        (call $putOther (select (i32.const 1) (i32.const 2) (i32.eq (local.get $char) (i32.const 10))))
        (return (local.get $next))))
    (local.set $next (call $lineEnd (local.get $at)))
    (if (global.get $error) (then (return (local.get $next))))
    (call $end (local.get $next)))

  ;; Whether there is no more room. Blanks may be taken back, so a call does not end behind a few of them.
  (func $isFull (result i32)
    (i32.and (i32.ge_u (global.get $out) (global.get $outEnd))
      (i32.or
        (i32.ne (i32.load8_u (i32.sub (global.get $out) (i32.const 1))) (i32.const 32))
        (i32.gt_u (i32.sub (global.get $out) (global.get $outEnd)) (i32.const 256)))))

  ;; Reads the lines of [$at, $end), at most $most rows of them, as far as there is room for what is written of them; it is
  ;; for the caller to take that or not. Before $at a line feed stands. Gives where it left off.
  (func (export "read") (param $at i32) (param $end i32) (param $most i32) (result i32)
    (local $bytes v128) (local $done i32) (local $char i32)
    (global.set $rows (i32.const 0))
    (global.set $rowAt (local.get $at))
    (block $stop
      (loop $next
        (br_if $stop
          (i32.or (i32.ge_u (local.get $at) (local.get $end))
            (i32.or (global.get $error) (call $isFull))))
        (if (i32.eqz (global.get $isOpen))
          (then
            (br_if $stop (i32.eq (global.get $rows) (local.get $most)))
            (local.set $at (call $begin (local.get $at)))
            (br_if $next (i32.eqz (global.get $isOpen)))))
        (local.set $bytes (v128.load (local.get $at)))
        (v128.store (global.get $out) (local.get $bytes))
        (local.set $done
          (i32.ctz
            (i32.or (i32.const 0x10000)
              (i8x16.bitmask
                (v128.or
                  (i8x16.eq (local.get $bytes) (i8x16.splat (i32.const 34)))
                  (v128.and
                    (i8x16.lt_u (local.get $bytes) (i8x16.splat (i32.const 14)))
                    (i8x16.ne (local.get $bytes) (i8x16.splat (i32.const 9)))))))))
        (local.set $at (i32.add (local.get $at) (local.get $done)))
        (global.set $out (i32.add (global.get $out) (local.get $done)))
        (br_if $next (i32.eq (local.get $done) (i32.const 16)))
        (local.set $char (i32.load8_u (local.get $at)))
        (local.set $at
          (if (result i32) (i32.eq (local.get $char) (i32.const 34))
            (then
              (if (result i32) (global.get $isQuoted)
                (then (call $innerQuote (local.get $at)))
                (else (call $openQuote (local.get $at)))))
            (else (call $control (local.get $at) (local.get $char)))))
        (br $next)))
    (global.set $rowBytes (i32.add (global.get $rowBytes) (i32.sub (local.get $at) (global.get $rowAt))))
    (local.get $at)))
