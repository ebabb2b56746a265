// Package play acts one seed: an installation of the real domain on the table in memory, Apple's fake on the other side, a
// script of what people do, and faults. One seed decides all of it, so that a seed played twice gives the same trace.
//
// It judges nothing: package judge does.
package play
