package world

import "github.com/google/uuid"

// NewID returns a fresh random id (UUIDv4, lower case, 36 characters).
func NewID(r Rand) string {
	var id uuid.UUID
	r.Read(id[:])
	id[6] = id[6]&0x0f | 0x40 // version 4
	id[8] = id[8]&0x3f | 0x80 // RFC 9562 variant
	return id.String()
}
