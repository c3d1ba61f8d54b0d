/**
 * Environment that keeps the C library's allocator from giving memory back between the steps of a computation, which would cost TensorFlow 10 to 15 %
 * in page faults. It must be there when the process starts. Native engine, glibc; harmless elsewhere.
 */
export const ENGINE_MEMORY = {
  MALLOC_MMAP_MAX_: "0",
  MALLOC_TRIM_THRESHOLD_: "8589934592",
  MALLOC_TOP_PAD_: "268435456",
} as const;
