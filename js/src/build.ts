// What all files of one build have in common.

/** Names the build to its files. */
export const build = `${KIIWEB_VERSION} ${KIIWEB_BUILD}`;
