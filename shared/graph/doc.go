// Package graph is OData as Microsoft Graph speaks it: bodies in and out, errors, query options, $filter, paging, and
// the few habits of Graph's front door (request ids, odd letter case, both version prefixes, JSON for every error).
//
// An HTTP function builds a mux with [Handle], wraps it in a [Handler], reads options with [ParseQuery] against the
// collection's [Schema], pages with [List] (or [NextLink] where a store's cursor leads) and answers with [WritePage],
// [WriteCollection], [WriteEntity], [WriteCount], [WriteNoContent] or [WriteError].
//
// It knows nothing of books and tokens, nor of who may do what: entities are [Entity] maps that the caller describes by a
// Schema. The source of its rules is Graph's behavior as the clients need it, not the whole of OData: there is no
// lambda, no arithmetic and no nested query option.
package graph
