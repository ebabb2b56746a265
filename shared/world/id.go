package world

import (
	"encoding/binary"

	"github.com/google/uuid"
)

// NewID returns a fresh random id (UUIDv4, lower case, 36 characters).
func NewID(r Rand) string {
	var id uuid.UUID
	r.Read(id[:])
	id[6] = id[6]&0x0f | 0x40 // version 4
	id[8] = id[8]&0x3f | 0x80 // RFC 9562 variant
	return id.String()
}

// NewOrderedID returns a fresh id that sorts by when it was made, to the millisecond (UUIDv7, lower case, 36 characters).
func NewOrderedID(w World) string {
	var id uuid.UUID
	w.Read(id[:])
	var ms [8]byte
	binary.BigEndian.PutUint64(ms[:], uint64(w.Now().UnixMilli()))
	copy(id[:6], ms[2:])
	id[6] = id[6]&0x0f | 0x70 // version 7
	id[8] = id[8]&0x3f | 0x80 // RFC 9562 variant
	return id.String()
}
