# The .hmap file format for Kaitai Struct (https://kaitai.io), which makes readers in a dozen languages, and shows a file
# in its visualizer. format.md is the truth; a test holds this to the golden files. It reads what is there and checks
# nothing: no checksum, no order, no limit.
meta:
  id: hmap
  title: hmap, a persistent hash file
  file-extension: hmap
  license: MIT
  ks-version: '0.10'
  endian: le
doc: |
  A header, key heaps (or the segments of a list or a bit array), a dictionary of enum values, long fingerprints, an index
  of buckets, and a tree of checksums.
seq:
  - id: header
    type: header
instances:
  is_hash:
    value: header.layout == layout::hash
  key_width:
    doc: Bytes of each key as it is stored, its fingerprint included; 0xffffffff if each states its own.
    value: header.key_width
  value_width:
    value: header.value_width
  num_segments:
    value: 1 << header.segment_bits
  length:
    doc: How many integers a list or a bit array describes.
    value: 'header.layout == layout::list ? header.num_entries : 8 * header.value_bytes - header.spare_bits'
  dictionary:
    if: header.value_type == value_type::enum
    pos: 8 * ((header.segments.last.ofs + header.segments.last.len + 7) / 8)
    size: header.dictionary_size
    type: dictionary
  long_fingerprints:
    if: header.fingerprint_bits > 0
    pos: >-
      8 * (((header.value_type == value_type::enum
        ? 8 * ((header.segments.last.ofs + header.segments.last.len + 7) / 8) + header.dictionary_size
        : header.segments.last.ofs + header.segments.last.len) + 7) / 8)
    type: long_fingerprint
    repeat: expr
    repeat-expr: header.num_long_fingerprints
  index:
    if: is_hash
    doc: A line for each group of 32 buckets, first those of segment 0.
    pos: header.ofs_index
    type: line
    repeat: expr
    repeat-expr: num_segments * groups_per_segment
  groups_per_segment:
    value: header.bucket_eighths * (1 << header.bucket_bits) / 256
  checksums:
    doc: XXH64 of each block of 65,536 bytes, then of each page of these, and so on.
    pos: header.ofs_checksums
    size: 8
    repeat: expr
    repeat-expr: header.checksums_size / 8
types:
  header:
    seq:
      - id: magic
        contents: [0x89, H, M, P, 0x0d, 0x0a, 0x1a, 0x0a]
      - id: major_version
        type: u2
      - id: minor_version
        type: u2
      - id: header_checksum
        type: u4
      - id: header_size
        type: u4
      - id: features
        type: u4
      - id: file_size
        type: u8
      - id: num_entries
        type: u8
      - id: key_bytes
        type: u8
      - id: value_bytes
        type: u8
      - id: hash_algorithm
        type: u1
      - id: checksum_algorithm
        type: u1
      - id: offset_bits
        type: u1
      - id: segment_bits
        type: u1
      - id: bucket_bits
        type: u1
      - id: key_type
        type: u1
        enum: key_type
      - id: value_type
        type: u1
        enum: value_type
      - id: layout
        type: u1
        enum: layout
      - id: hash_seed
        type: u4
      - id: key_width
        type: u4
      - id: value_width
        type: u4
      - id: shard_bits
        type: u1
      - id: bucket_eighths
        type: u1
      - id: narrowed
        type: u1
      - id: fingerprint_bits
        type: u1
      - id: shard_index
        type: u4
      - id: metadata_size
        type: u4
      - id: ofs_checksums
        type: u8
      - id: checksums_size
        type: u8
      - id: checksums_sum
        size: 8
      - id: schema_size
        type: u4
      - id: element_bits
        if: value_type != value_type::enum
        type: u1
      - id: element_sign
        if: value_type != value_type::enum
        type: u1
      - id: spare_bits
        if: value_type != value_type::enum
        type: u1
      - id: reserved_of_elements
        if: value_type != value_type::enum
        size: 1
      - id: base
        if: value_type != value_type::enum
        type: s8
      - id: num_distinct
        if: value_type == value_type::enum
        type: u4
      - id: dictionary_size
        if: value_type == value_type::enum
        type: u8
      - id: ofs_index
        type: u8
      - id: num_long_fingerprints
        type: u8
      - id: reserved
        size: 48
      - id: segments
        type: segment
        repeat: expr
        repeat-expr: 1 << segment_bits
      - id: metadata
        size: metadata_size
        type: str
        encoding: UTF-8
      - id: schema
        size: schema_size
        type: str
        encoding: UTF-8
  segment:
    seq:
      - id: ofs
        type: u8
      - id: len
        type: u8
      - id: num_entries
        type: u8
    instances:
      heap:
        if: _root.is_hash
        doc: The records, in the order of hash and key.
        io: _root._io
        pos: ofs
        size: len
        type: heap
      elements:
        if: _root.header.layout == layout::list
        io: _root._io
        pos: ofs
        size: len
        type: list_segment(num_entries)
      bits:
        if: _root.header.layout == layout::bits
        doc: Counts of ones for each run of 2,048 bits, padded to 8 bytes, then the bits.
        io: _root._io
        pos: ofs
        size: len
  heap:
    seq:
      - id: records
        type: record
        repeat: eos
  record:
    seq:
      - id: key_length
        if: _root.key_width == 0xffffffff
        type: varint
      - id: value_length
        if: _root.value_width == 0xffffffff
        type: varint
      - id: key
        size: '_root.key_width == 0xffffffff ? key_length.value : _root.key_width'
      - id: value
        size: '_root.value_width == 0xffffffff ? value_length.value : _root.value_width'
  varint:
    doc: Unsigned LEB128, in its shortest form.
    seq:
      - id: groups
        type: u1
        repeat: until
        repeat-until: _ < 0x80
    instances:
      value:
        value: >-
          (groups[0] % 128)
          + (groups.size > 1 ? (groups[1] % 128) * 128 : 0)
          + (groups.size > 2 ? (groups[2] % 128) * 16384 : 0)
          + (groups.size > 3 ? (groups[3] % 128) * 2097152 : 0)
          + (groups.size > 4 ? (groups[4] % 128) * 268435456 : 0)
  line:
    doc: Where a group starts in its heap, and where each of its 32 buckets starts after that, and the last ends.
    seq:
      - id: anchor
        type: u4
      - id: packed
        type: u1
        repeat: expr
        repeat-expr: 4 * _root.header.offset_bits + 4
    instances:
      offsets:
        doc: In bytes, or in records where all have one width.
        pos: 0
        type: offset(_index)
        repeat: expr
        repeat-expr: 33
  offset:
    params:
      - id: slot
        type: s4
    instances:
      bit:
        value: slot * _root.header.offset_bits
      word:
        value: >-
          _parent.packed[bit / 8]
          + _parent.packed[bit / 8 + 1] * 256
          + _parent.packed[bit / 8 + 2] * 65536
          + _parent.packed[bit / 8 + 3] * 16777216
      value:
        value: '_root.header.offset_bits == 32 ? word : (word / (1 << (bit % 8))) % (1 << _root.header.offset_bits)'
  dictionary:
    seq:
      - id: offsets
        type: u4
        repeat: expr
        repeat-expr: _root.header.num_distinct + 1
      - id: strings
        type: dictionary_string(_index)
        repeat: expr
        repeat-expr: _root.header.num_distinct
  dictionary_string:
    params:
      - id: index
        type: s4
    seq:
      - id: text
        doc: UTF-8, as bytes, since some readers of text leave out a byte order mark.
        size: _parent.offsets[index + 1] - _parent.offsets[index]
  long_fingerprint:
    seq:
      - id: segment
        type: u4
      - id: position
        doc: Of the record in its heap, in bytes, or in records where all have one width.
        type: u4
      - id: hash
        size: 8
  list_segment:
    params:
      - id: num_elements
        type: u8
    seq:
      - id: offsets
        if: has_offsets
        type: u4
        repeat: expr
        repeat-expr: num_elements + 1
      - id: padding
        if: has_offsets
        size: (num_elements + 1) % 2 * 4
      - id: texts
        if: has_offsets
        type: element(_index)
        repeat: expr
        repeat-expr: num_elements
      - id: f4
        if: _root.header.value_type == value_type::f32
        type: f4
        repeat: expr
        repeat-expr: num_elements
      - id: f8
        if: _root.header.value_type == value_type::f64
        type: f8
        repeat: expr
        repeat-expr: num_elements
      - id: packed
        if: _root.header.value_type == value_type::packed
        doc: Element j is the bits [j * element_bits, (j + 1) * element_bits), the lowest first.
        size: (num_elements * _root.header.element_bits + 7) / 8
    instances:
      has_offsets:
        value: _root.header.value_type == value_type::bytes or _root.header.value_type == value_type::utf8
  element:
    params:
      - id: index
        type: s4
    seq:
      - id: content
        size: _parent.offsets[index + 1] - _parent.offsets[index]
enums:
  layout:
    0: hash
    1: list
    2: bits
  key_type:
    0: bytes
    1: u32
    2: u64
    3: i64
    4: uuid
    5: hex
  value_type:
    0: none
    1: bytes
    2: utf8
    3: json
    4: u8
    5: i8
    6: u16
    7: i16
    8: u32
    9: i32
    10: u64
    11: i64
    12: f32
    13: f64
    14: struct
    15: enum
    16: u24
    17: u40
    18: u48
    19: packed
