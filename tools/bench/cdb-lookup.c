/* Looks keys up in a cdb file with tinycdb, several times over, and prints what a lookup takes. What the trials in JavaScript do, in C.
 *
 *   cdb-lookup <file.cdb> <file.keys> <file.numbers> <passes>
 *
 * The keys are one a line; the numbers (u32, little-endian, 0xffffffff for a key that is not there) are the decimal values they must have.
 * One untimed pass compares each value with its number; the timed ones sum a byte of each value, so that it is fetched. */

#define _POSIX_C_SOURCE 200809L
#include <cdb.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define NONE 0xffffffffu

struct text {
  char *bytes;
  size_t length;
};

static void fail(const char *what) {
  perror(what);
  exit(2);
}

static struct text read_all(const char *path) {
  FILE *file = fopen(path, "rb");
  if (file == NULL) fail(path);
  struct stat about;
  if (fstat(fileno(file), &about) != 0) fail(path);
  struct text text = {malloc((size_t)about.st_size + 1), (size_t)about.st_size};
  if (text.bytes == NULL) fail("malloc");
  if (fread(text.bytes, 1, text.length, file) != text.length) fail(path);
  fclose(file);
  return text;
}

static double now_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

struct query {
  const char *key;
  unsigned length;
};

/* Whether the value that was found last is a number in decimal. */
static int is_number(struct cdb *table, uint32_t number) {
  char digits[16];
  int length = snprintf(digits, sizeof digits, "%lu", (unsigned long)number);
  const void *value = cdb_get(table, cdb_datalen(table), cdb_datapos(table));
  return value != NULL && cdb_datalen(table) == (unsigned)length && memcmp(value, digits, (size_t)length) == 0;
}

int main(int count, char **args) {
  if (count != 5) {
    fprintf(stderr, "usage: cdb-lookup <file.cdb> <file.keys> <file.numbers> <passes>\n");
    return 2;
  }
  struct text keys = read_all(args[2]);
  struct text numbers = read_all(args[3]);
  int passes = atoi(args[4]);
  size_t queries = numbers.length / 4;
  struct query *list = malloc(queries * sizeof *list + 1);
  if (list == NULL) fail("malloc");
  const char *at = keys.bytes;
  for (size_t i = 0; i < queries; i++) {
    const char *end = memchr(at, '\n', (size_t)(keys.bytes + keys.length - at));
    if (end == NULL) {
      fprintf(stderr, "%s: fewer keys than numbers\n", args[2]);
      return 2;
    }
    list[i] = (struct query){at, (unsigned)(end - at)};
    at = end + 1;
  }

  int fd = open(args[1], O_RDONLY);
  struct cdb table;
  if (fd < 0 || cdb_init(&table, fd) != 0) fail(args[1]);

  size_t right = 0;
  for (size_t i = 0; i < queries; i++) {
    uint32_t number;
    memcpy(&number, numbers.bytes + 4 * i, 4);
    int found = cdb_find(&table, list[i].key, list[i].length);
    right += number == NONE ? found == 0 : found > 0 && is_number(&table, number);
  }

  size_t hits = 0;
  unsigned long sum = 0;
  printf("{\"queries\":%zu,\"right\":%zu,\"ns\":[", queries, right);
  for (int pass = 0; pass < passes; pass++) {
    hits = 0;
    double start = now_ns();
    for (size_t i = 0; i < queries; i++) {
      if (cdb_find(&table, list[i].key, list[i].length) > 0) {
        hits++;
        sum += *(const unsigned char *)cdb_get(&table, cdb_datalen(&table), cdb_datapos(&table));
      }
    }
    printf("%s%.3f", pass == 0 ? "" : ",", (now_ns() - start) / (double)queries);
  }
  printf("],\"hits\":%zu,\"sum\":%lu}\n", hits, sum);
  cdb_free(&table);
  return 0;
}
