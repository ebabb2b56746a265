// Package dynamo is the table.Engine on DynamoDB: what is stored on AWS.
//
// What it sends is what the port says, one request a call: a Commit of one op under a version or under absence is one
// conditional write, any other one is a transaction whose token DynamoDB remembers. It caches nothing, and it never
// scans. Keys, indexes and expiry are those of template.yaml; its tests make their table from there.
package dynamo
