/* word.h - which characters words and numbers are made of; of this folder only. */
#ifndef CU_HCL_WORD_H
#define CU_HCL_WORD_H

#include <stdbool.h>
#include <stdint.h>

/* a-z, A-Z, _, and what lies above ASCII but for the ranges where signs, blanks, arrows, pictures
 * and private characters live. (The reference asks Unicode's tables for each; the difference is
 * which sentence a wrong character gets.) */
bool hcl_is_letter(uint32_t rune);

/* The value of a hexadecimal digit; 16: none. */
unsigned hcl_digit(uint32_t rune);

#endif
