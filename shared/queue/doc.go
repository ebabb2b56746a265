// Package queue wakes the worker of a location. A wake is a hint, never a command: all work is in the table, as marks,
// so that a wake that is lost, repeated, late or early does no harm. Engines are queue/local and (on AWS) queue/sqs;
// queue/queuetest is the suite they pass.
package queue
