/* image.h - the rules of a mirror: what to ask next, and what an answer makes of the rows
 * (contracts 6.3). Pure: no clock, no I/O; mirror.c asks.
 *
 * A fill goes into a table of its own. Its pages are read at different positions, by several
 * catalogds perhaps; the image then takes every change after the lowest of them, and each change
 * brings its row as it was when that answer was made. Past the highest position no row can be older
 * than the cursor says. The differences to what served before are told only then. */
#ifndef CU_VIEW_IMAGE_H
#define CU_VIEW_IMAGE_H

#include "common/view/rows.h"
#include "curia/v1/feed.pb-c.h"

struct view_image;

enum view_image_wants { VIEW_WANTS_PAGE, VIEW_WANTS_CHANGES };

struct view_image_options {
    const char *const *topics; /* copied */
    size_t topic_count;
    void (*put)(void *arg, const struct cu_mirror_row *row, const struct cu_mirror_row *before);
    void (*del)(void *arg, const struct cu_mirror_row *row);
    void *arg;
};

struct view_image *view_image_new(const struct view_image_options *options);
void view_image_free(struct view_image *image); /* takes NULL */

enum view_image_wants view_image_wants(const struct view_image *image);

/* The next question; what it points to is borrowed until the image is told anything. */
void view_image_ask_page(struct view_image *image, Curia__V1__FeedRowsRequest *ret_request);
void view_image_ask_changes(struct view_image *image, Curia__V1__FeedFollowRequest *ret_request);

/* Takes the answer to the question asked last. INVALID: it is none that a catalogd gives, and
 * nothing of it was taken. */
CU_MUST_USE enum cu_err view_image_take_page(struct view_image *image,
                                             const Curia__V1__FeedRowsReply *reply);
CU_MUST_USE enum cu_err view_image_take_changes(struct view_image *image,
                                                const Curia__V1__FeedFollowReply *reply);

/* Another catalogd is asked from here on: it may know more. */
void view_image_doubt(struct view_image *image);

/* Begins a fill from the first page; what is there serves on. */
void view_image_refill(struct view_image *image);

bool view_image_is_filled(const struct view_image *image);  /* it has been complete once */
bool view_image_is_filling(const struct view_image *image); /* a fill is under way */
/* The last answer told all that its catalogd knew, and no fill is under way. */
bool view_image_is_current(const struct view_image *image);
const struct cu_mirror_position *view_image_position(const struct view_image *image);
const struct view_rows *view_image_rows(const struct view_image *image);
uint64_t view_image_fills(const struct view_image *image); /* begun after the first */

/* From a file: into a new image, each row once, then the position. */
void view_image_restore_row(struct view_image *image, const struct cu_mirror_row *row);
void view_image_restored(struct view_image *image, const struct cu_mirror_position *position);

#endif
