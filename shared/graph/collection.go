package graph

import "net/http"

// Collection is a collection that is read whole for an answer: few entities, or such as $orderby and $count need.
type Collection struct {
	Schema Schema
	// Read returns all entities, and the context that names the collection.
	Read func(r *http.Request, q Query) (context string, all []Entity, err error)
}

// List answers a page of the collection.
func (c Collection) List(w http.ResponseWriter, r *http.Request) error {
	q, err := ParseQuery(r, c.Schema)
	if err != nil {
		return err
	}
	context, all, err := c.Read(r, q)
	if err != nil {
		return err
	}
	page, err := List(r, q, all)
	if err != nil {
		return err
	}
	WritePage(w, r, context, page)
	return nil
}

// Count answers how many entities there are (/$count).
func (c Collection) Count(w http.ResponseWriter, r *http.Request) error {
	q, err := ParseQuery(r, c.Schema)
	if err != nil {
		return err
	}
	if err := q.Only("$filter", "$search"); err != nil {
		return err
	}
	_, all, err := c.Read(r, q)
	if err != nil {
		return err
	}
	WriteCount(w, r, Count(q, all))
	return nil
}
