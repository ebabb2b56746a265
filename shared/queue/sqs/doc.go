// Package sqs is the queue.Queue on SQS. It only sends: what delivers is the function that the queue triggers
// (functions/work), and what it can't deliver goes to the dead-letter queue of template.yaml.
package sqs
