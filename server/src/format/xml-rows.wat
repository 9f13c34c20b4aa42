;; Rows of XML: with vector-rows.wat a module. `xml-rows.ts` puts at $tags four numbers a column: where the tags before its
;; value stand and their length, then where those stand that come before NULL, and theirs.

(global $point i32 (i32.const 46))
(global $tags (export "tags") (mut i32) (i32.const 0))
;; What a row ends with.
(global $endAt (export "endAt") (mut i32) (i32.const 0))
(global $endLength (export "endLength") (mut i32) (i32.const 0))

(func $head (param $column i32) (param $out i32) (result i32)
  (local.set $column (i32.add (global.get $tags) (i32.shl (local.get $column) (i32.const 4))))
  (call $copy (i32.load (local.get $column)) (i32.load offset=4 (local.get $column)) (local.get $out)))

(func $null (param $column i32) (param $out i32) (result i32)
  (local.set $column (i32.add (global.get $tags) (i32.shl (local.get $column) (i32.const 4))))
  (call $copy (i32.load offset=8 (local.get $column)) (i32.load offset=12 (local.get $column)) (local.get $out)))

(func $endRow (param $out i32) (result i32)
  (call $copy (global.get $endAt) (global.get $endLength) (local.get $out)))

;; Text between tags, with U+FFFD for what XML cannot carry.
(func $text (param $at i32) (param $length i32) (param $out i32) (result i32)
  (local $bytes v128) (local $found i32) (local $byte i32)
  (loop $next
    (if (i32.eqz (local.get $length)) (then (return (local.get $out))))
    (local.set $bytes (v128.load (local.get $at)))
    (v128.store (local.get $out) (local.get $bytes))
    (local.set $found (i32.ctz (i32.or (call $unusual (local.get $bytes)) (i32.const 65536))))
    (if (i32.ge_u (local.get $found) (local.get $length))
      (then (return (i32.add (local.get $out) (local.get $length)))))
    (local.set $at (i32.add (local.get $at) (local.get $found)))
    (local.set $out (i32.add (local.get $out) (local.get $found)))
    (local.set $length (i32.sub (local.get $length) (local.get $found)))
    (br_if $next (i32.eq (local.get $found) (i32.const 16)))
    (local.set $byte (i32.load8_u (local.get $at)))
    (local.set $at (i32.add (local.get $at) (i32.const 1)))
    (local.set $length (i32.sub (local.get $length) (i32.const 1)))
    (if (i32.eq (local.get $byte) (i32.const 0xef))
      (then
        ;; Of the characters that begin so only U+FFFE and U+FFFF have these two bytes next.
        (if (i32.eq (i32.and (i32.load16_u (local.get $at)) (i32.const 0xfeff)) (i32.const 0xbebf))
          (then
            (local.set $out (call $replaced (local.get $out)))
            (local.set $at (i32.add (local.get $at) (i32.const 2)))
            (local.set $length (i32.sub (local.get $length) (i32.const 2))))
          ;; It is there already.
          (else (local.set $out (i32.add (local.get $out) (i32.const 1))))))
      (else (local.set $out (call $escaped (local.get $byte) (local.get $out)))))
    (br $next))
  (unreachable))

;; A bit for each byte that is not taken as it is: `&`, `<`, `>`, control characters but the tab, and what begins U+FFFE.
(func $unusual (param $bytes v128) (result i32)
  (i8x16.bitmask
    (v128.or
      (v128.andnot
        (i8x16.lt_u (local.get $bytes) (v128.const i8x16 32 32 32 32 32 32 32 32 32 32 32 32 32 32 32 32))
        (i8x16.eq (local.get $bytes) (v128.const i8x16 9 9 9 9 9 9 9 9 9 9 9 9 9 9 9 9)))
      (v128.or
        (v128.or
          (i8x16.eq (local.get $bytes) (v128.const i8x16 38 38 38 38 38 38 38 38 38 38 38 38 38 38 38 38))
          (i8x16.eq (local.get $bytes) (v128.const i8x16 -17 -17 -17 -17 -17 -17 -17 -17 -17 -17 -17 -17 -17 -17 -17 -17)))
        ;; 60 and 62 differ in one bit.
        (i8x16.eq
          (v128.or (local.get $bytes) (v128.const i8x16 2 2 2 2 2 2 2 2 2 2 2 2 2 2 2 2))
          (v128.const i8x16 62 62 62 62 62 62 62 62 62 62 62 62 62 62 62 62))))))

;; A line feed would end the row, and a carriage return become a line feed in every reader (XML 1.0, section 2.11).
(func $escaped (param $byte i32) (param $out i32) (result i32)
  (if (i32.eq (local.get $byte) (i32.const 38))
    (then (return (call $put (i64.const 0x3b706d6126) (i32.const 5) (local.get $out)))))
  (if (i32.eq (local.get $byte) (i32.const 60))
    (then (return (call $put (i64.const 0x3b746c26) (i32.const 4) (local.get $out)))))
  (if (i32.eq (local.get $byte) (i32.const 62))
    (then (return (call $put (i64.const 0x3b746726) (i32.const 4) (local.get $out)))))
  (if (i32.eq (local.get $byte) (i32.const 10))
    (then (return (call $put (i64.const 0x3b30312326) (i32.const 5) (local.get $out)))))
  (if (i32.eq (local.get $byte) (i32.const 13))
    (then (return (call $put (i64.const 0x3b33312326) (i32.const 5) (local.get $out)))))
  (call $replaced (local.get $out)))

(func $replaced (param $out i32) (result i32)
  (call $put (i64.const 0xbdbfef) (i32.const 3) (local.get $out)))

(func $put (param $bytes i64) (param $length i32) (param $out i32) (result i32)
  (i64.store (local.get $out) (local.get $bytes))
  (i32.add (local.get $out) (local.get $length)))
