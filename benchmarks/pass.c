/* The limit: the definitions of criteria/atra_2022.toml hard-coded, one pass over rows sorted by patient and day.

   Written from the definitions alone, and not from the engine, so that it is a reading of them of its own.
   It takes what benchmarks/cohorts.py makes: a row per patient and day, bleeding scored at visits, the patients of
   both tables in the same order. Nothing is checked but what would break the pass.

       cc -O3 -march=native -shared -fPIC -o pass.so pass.c     for arrays in memory: `classify`
       cc -O3 -march=native -o pass pass.c                      for files: pass VISITS.csv PATIENTS.csv OUT.csv

   NaN is what was not observed, NO_DAY a day that there is not. */

#include <fcntl.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define NO_DAY INT32_MIN

enum value { Y, N, NE, NA };
enum best { CR, R, NR, OPEN };
/* What a rule is at a row. */
enum truth { FALSE, TRUE, UNKNOWN };

typedef struct {
    int32_t day;
    double count, grade;
    int rescue;
    int32_t rescue_end;
} row;

typedef struct {
    int8_t best, or, cr, sr, relapse, remission, late_rescue, event;
    int32_t or_day, confirmed_day, cr_day, relapse_day, ttr, dor;
} verdicts;

static int no_bleeding(const row *r) { return isnan(r->grade) ? UNKNOWN : r->grade < 1; }

static int both(int one, int other) {
    if (one == FALSE || other == FALSE) return FALSE;
    return one == TRUE && other == TRUE ? TRUE : UNKNOWN;
}

static int above_30(const row *r) { return isnan(r->count) ? UNKNOWN : r->count > 30; }

/* At least 30 and twice the baseline, or at least 100; and no bleeding. */
static int responding(const row *r, double baseline) {
    int enough;
    if (isnan(r->count)) enough = UNKNOWN;
    else if (r->count >= 100) enough = TRUE;
    else if (r->count < 30) enough = FALSE;
    else if (isnan(baseline)) enough = UNKNOWN;
    else enough = r->count >= 2 * baseline;
    return both(enough, no_bleeding(r));
}

static double baseline_of(const row *rows, int64_t size, double given) {
    if (!isnan(given)) return given;
    double found = NAN;
    for (int64_t i = 0; i < size && rows[i].day <= 0; i++)
        if (rows[i].day >= -28 && !isnan(rows[i].count)) found = rows[i].count;
    return found;
}

/* The first T row with another seven days or more after it and no F between them. */
static int confirmed(int32_t *first, int32_t day, int state) {
    if (state == FALSE) *first = NO_DAY;
    if (state != TRUE) return 0;
    if (*first == NO_DAY) *first = day;
    return day - *first >= 7;
}

static void decide(const row *rows, int64_t size, double given, int discontinued, verdicts *v) {
    double baseline = baseline_of(rows, size, given);
    int followed = 0, closed = 0, rescued_late = 0, met = 0, could = 0;
    int32_t first = NO_DAY, first_possible = NO_DAY, confirmed_day = NO_DAY, last_rescue = NO_DAY;
    int64_t at = 0;

    for (int64_t i = 0; i < size; i++) {
        const row *r = rows + i;
        followed |= r->day >= 337 && !isnan(r->count);
        if (r->rescue && r->day >= 36) {
            rescued_late = 1;
            closed |= r->day <= 365;
        }
        if (r->day >= 1 && r->day <= 365 && !closed && !met) {
            int state = responding(r, baseline);
            int washout = last_rescue != NO_DAY && r->day - last_rescue <= 35;
            int possible = state == UNKNOWN && !isnan(r->count) ? TRUE : state;
            /* Soon after rescue a count that does not fail shows nothing, not even what may have been. */
            if (state != FALSE && washout) state = possible = UNKNOWN;
            could |= confirmed(&first_possible, r->day, possible);
            met = confirmed(&first, r->day, state);
            if (met) {
                confirmed_day = r->day;
            }
        }
        if (r->rescue && (last_rescue == NO_DAY || r->rescue_end > last_rescue)) last_rescue = r->rescue_end;
    }
    while (at < size && (first == NO_DAY || rows[at].day < first)) at++;

    *v = (verdicts){.or = NE, .cr = NE, .sr = NE, .relapse = NE, .remission = NE, .best = OPEN, .event = -1,
                    .or_day = NO_DAY, .confirmed_day = NO_DAY, .cr_day = NO_DAY, .relapse_day = NO_DAY,
                    .ttr = NO_DAY, .dor = NO_DAY};
    v->late_rescue = rescued_late ? Y : followed ? N : NE;
    if (discontinued || (!met && (closed || (followed && !could)))) {
        v->or = v->cr = v->sr = v->remission = N;
        v->relapse = NA;
        v->best = NR;
        return;
    }
    if (!met) return;

    int32_t due = first + 182, relapse_day = NO_DAY, cr_first = NO_DAY, last_count = NO_DAY, last_kept = NO_DAY;
    int complete = 0, sustained = due > 365 ? N : -1, gap = 0, in_remission = -1, one_year = 0;
    last_rescue = NO_DAY;
    for (int64_t i = 0; i < at; i++)
        if (rows[i].rescue && (last_rescue == NO_DAY || rows[i].rescue_end > last_rescue)) last_rescue = rows[i].rescue_end;
    for (int64_t i = at; i < size && rows[i].day <= 393; i++) {
        const row *r = rows + i;
        int clean = no_bleeding(r), late = r->rescue && r->day >= 36;
        if (r->day <= 365) {
            if (!isnan(r->count)) last_count = r->day;
            if (r->day > confirmed_day && relapse_day == NO_DAY && (r->count < 30 || clean == FALSE || late))
                relapse_day = r->day;
            int washout = last_rescue != NO_DAY && r->day - last_rescue <= 35;
            if (relapse_day == NO_DAY && r->count >= 100 && clean == TRUE && !washout) {
                if (cr_first == NO_DAY) cr_first = r->day;
                complete |= r->day - cr_first >= 7;
            }
        }
        if (sustained < 0) {
            int kept = both(both(above_30(r), clean), r->rescue ? FALSE : TRUE);
            if (kept == FALSE) sustained = N;
            if (kept == TRUE) {
                gap |= last_kept != NO_DAY && r->day - last_kept > 56;
                last_kept = r->day;
                if (r->day >= due) sustained = gap ? NE : Y;
            }
        }
        if (in_remission < 0) {
            int good = both(both(above_30(r), clean), late ? FALSE : TRUE);
            if (good == FALSE) in_remission = N;
            one_year |= good == TRUE && r->day >= 337;
        }
        if (r->rescue && (last_rescue == NO_DAY || r->rescue_end > last_rescue)) last_rescue = r->rescue_end;
    }
    int relapsed = relapse_day != NO_DAY;
    v->or = Y;
    v->or_day = v->ttr = first;
    v->confirmed_day = confirmed_day;
    v->relapse = relapsed ? Y : followed ? N : NE;
    v->relapse_day = relapse_day;
    v->cr = complete ? Y : relapsed || followed ? N : NE;
    v->cr_day = complete ? cr_first : NO_DAY;
    v->sr = sustained < 0 ? NE : sustained;
    v->remission = in_remission == N ? N : one_year ? Y : NE;
    v->dor = (relapsed ? relapse_day : last_count) - first;
    v->event = relapsed;
    v->best = complete ? CR : R;
}

/* ARRAYS. `first_row` has the patients and one more; `made` one entry per patient. */

void classify(int64_t patients, const int64_t *first_row, const int32_t *day, const double *count, const double *grade,
              const uint8_t *rescue, const int32_t *rescue_end, const double *baseline, const double *discontinued,
              verdicts *made) {
    int64_t room = 0;
    row *rows = NULL;
    for (int64_t p = 0; p < patients; p++) {
        int64_t begin = first_row[p], size = first_row[p + 1] - begin;
        if (size > room) rows = realloc(rows, (room = 2 * size) * sizeof(row));
        for (int64_t i = 0; i < size; i++)
            rows[i] = (row){day[begin + i], count[begin + i], grade[begin + i], rescue[begin + i], rescue_end[begin + i]};
        decide(rows, size, baseline[p], !isnan(discontinued[p]), made + p);
    }
    free(rows);
}

/* FILES */

static void stop(const char *what, const char *which) {
    fprintf(stderr, "pass: %s: %s\n", which, what);
    exit(2);
}

typedef struct {
    const char *at, *end;
} text;

static text mapped(const char *path, const char *header) {
    int file = open(path, O_RDONLY);
    struct stat about;
    if (file < 0 || fstat(file, &about) < 0) stop("cannot be read", path);
    const char *begin = mmap(NULL, about.st_size, PROT_READ, MAP_PRIVATE, file, 0);
    if (begin == MAP_FAILED) stop("cannot be mapped", path);
    madvise((void *)begin, about.st_size, MADV_SEQUENTIAL);
    size_t length = strlen(header);
    if ((size_t)about.st_size < length || memcmp(begin, header, length)) stop("has other columns", path);
    return (text){begin + length, begin + about.st_size};
}

static double number(text *t) {
    int negative = *t->at == '-';
    if (negative) t->at++;
    if (*t->at < '0' || *t->at > '9') return NAN;
    double found = 0, place = 1;
    for (; *t->at >= '0' && *t->at <= '9'; t->at++) found = 10 * found + (*t->at - '0');
    if (*t->at == '.')
        for (t->at++; *t->at >= '0' && *t->at <= '9'; t->at++) found += (*t->at - '0') * (place /= 10);
    return negative ? -found : found;
}

static void past(text *t, char mark) {
    if (t->at >= t->end || *t->at != mark) stop("a cell is not understood", "a file");
    t->at++;
}

/* The length of the cell; it ends before a comma. */
static size_t cell(text *t) {
    const char *comma = memchr(t->at, ',', t->end - t->at);
    if (!comma) stop("a line is cut off", "a file");
    size_t length = comma - t->at;
    t->at = comma + 1;
    return length;
}

static char *put_text(char *to, const char *from, size_t length) {
    memcpy(to, from, length);
    return to + length;
}

static char *put_day(char *to, int32_t day) {
    *to++ = ',';
    if (day == NO_DAY) return to;
    char digits[12];
    int size = 0;
    uint32_t left = day < 0 ? -(uint32_t)day : (uint32_t)day;
    do digits[size++] = '0' + left % 10;
    while (left /= 10);
    if (day < 0) *to++ = '-';
    while (size) *to++ = digits[--size];
    return to;
}

static char *put_value(char *to, int value) {
    static const char *const texts[] = {",Y", ",N", ",NE", ",NA"};
    return put_text(to, texts[value], value < NE ? 2 : 3);
}

static char *put(char *to, const verdicts *v) {
    static const char *const bests[] = {",CR", ",R", ",NR", ",NE"};
    to = put_text(to, bests[v->best], v->best == R ? 2 : 3);
    to = put_day(put_day(put_value(to, v->or), v->or_day), v->confirmed_day);
    to = put_day(put_value(to, v->cr), v->cr_day);
    to = put_value(to, v->sr);
    to = put_day(put_value(to, v->relapse), v->relapse_day);
    to = put_value(put_value(to, v->remission), v->late_rescue);
    to = put_day(put_day(put_day(to, v->ttr), v->dor), v->event < 0 ? NO_DAY : v->event);
    *to++ = '\n';
    return to;
}

int main(int arguments, char **argument) {
    if (arguments != 4) stop("VISITS.csv PATIENTS.csv OUT.csv are to be given", "usage");
    text visits = mapped(argument[1], "patient_id,day,platelets,bleeding_grade,rescue,rescue_end\n");
    text patients = mapped(argument[2], "patient_id,arm,baseline,treatment_discontinued\n");
    FILE *out = fopen(argument[3], "w");
    if (!out) stop("cannot be written", argument[3]);
    fputs("patient_id,best_response,OR,OR_day,OR_confirmed_day,CR,CR_day,SR,relapse,relapse_day,remission,late_rescue,"
          "TTR_days,DOR_days,DOR_event\n", out);
    enum { ROOM = 1 << 20, LINE = 1 << 12 };
    char *buffer = malloc(ROOM), *to = buffer;
    int64_t room = 1024;
    row *rows = malloc(room * sizeof(row));

    while (patients.at < patients.end) {
        const char *id = patients.at;
        size_t length = cell(&patients);
        cell(&patients);
        double baseline = number(&patients);
        past(&patients, ',');
        int discontinued = !isnan(number(&patients));
        past(&patients, '\n');

        int64_t size = 0;
        while ((size_t)(visits.end - visits.at) > length && visits.at[length] == ',' && !memcmp(visits.at, id, length)) {
            if (size == room) rows = realloc(rows, (room *= 2) * sizeof(row));
            row *r = rows + size++;
            visits.at += length + 1;
            r->day = (int32_t)number(&visits);
            past(&visits, ',');
            r->count = number(&visits);
            past(&visits, ',');
            r->grade = number(&visits);
            past(&visits, ',');
            r->rescue = cell(&visits) > 0;
            double end = number(&visits);
            r->rescue_end = isnan(end) ? r->day : (int32_t)end;
            past(&visits, '\n');
        }
        verdicts made;
        decide(rows, size, baseline, discontinued, &made);
        to = put(put_text(to, id, length), &made);
        if (to - buffer > ROOM - LINE) {
            fwrite(buffer, 1, to - buffer, out);
            to = buffer;
        }
    }
    fwrite(buffer, 1, to - buffer, out);
    if (visits.at < visits.end) stop("a patient is not in the table of patients, or out of order", argument[1]);
    return fclose(out) ? 2 : 0;
}
