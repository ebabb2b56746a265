// Package queuetest is the contract of queue.Queue as tests: every engine passes Run.
package queuetest
