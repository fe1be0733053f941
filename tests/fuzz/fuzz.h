/* fuzz.h - what a fuzz target provides to driver.c. */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Parses the input. Returns whether it parsed; for an input that did, the target also checks that
 * what it prints parses to an equal message, and aborts if not. The bytes end at `len`: the driver
 * hands a block of exactly that size, so that a read beyond it is caught. */
bool fuzz_one(const uint8_t *data, size_t len);

#endif
