package table

import "cmp"

// String is the key as logs and errors show it.
func (k Key) String() string { return k.Part + "/" + k.Sort }

// Compare orders keys by the bytes of Part, then of Sort.
func (k Key) Compare(other Key) int {
	return cmp.Or(cmp.Compare(k.Part, other.Part), cmp.Compare(k.Sort, other.Sort))
}

// Compare orders the entries of an index by place, then by key: the order of a QueryIndex.
func (e Entry) Compare(other Entry) int {
	return cmp.Or(
		cmp.Compare(e.Place.Part, other.Place.Part), cmp.Compare(e.Place.Sort, other.Place.Sort),
		e.Key.Compare(other.Key))
}
