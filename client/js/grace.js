// How long a closed channel may wait for the news that its session has ended with it, in milliseconds. A resumable one says so
// itself when it ends for good, so that it can wait for a server that closes one channel after the other as it stops.

const GRACE = 250;
const RESUMABLE_GRACE = 5000;

export const graceOf = ({ resumable }) => (resumable ? RESUMABLE_GRACE : GRACE);
