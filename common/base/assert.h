/* assert.h - our own state is wrong: say where and stop. On in production. */
#ifndef CU_BASE_ASSERT_H
#define CU_BASE_ASSERT_H

#define CU_ASSERT(claim) ((claim) ? (void)0 : cu_assert_failed(#claim, __FILE__, __LINE__))

/* Prints the claim and aborts. Never for bytes that somebody else sent. */
_Noreturn void cu_assert_failed(const char *claim, const char *file, int line);

/* Memory for something whose size we chose ourselves: running out ends the process (the supervisor
 * restarts it, what was promised is on disk). A size that someone else chose is compared with a
 * limit first. */
void *cu_alloc(unsigned long size);              /* zeroed */
void *cu_realloc(void *old, unsigned long size); /* new bytes are not zeroed */
char *cu_strdup(const char *text);
void *cu_memdup(const void *data,
                unsigned long size); /* size 0 gives a pointer to free all the same */

#endif
