// The name of the method that `await using` calls at the end of a block.

/**
 * Browsers that do not know `await using` may lack the symbol; what compilers write in its place then looks
 * for the registered one.
 */
export const asyncDispose: typeof Symbol.asyncDispose = Symbol.asyncDispose ?? Symbol.for("Symbol.asyncDispose");
