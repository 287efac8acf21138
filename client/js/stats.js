// The few figures of a browser's report that matter for data channels: https://www.w3.org/TR/webrtc-stats/

const candidate = (entry) =>
  entry && {
    foundation: entry.foundation ?? "",
    component: 1,
    transport: entry.protocol,
    priority: entry.priority,
    // Browsers keep some to themselves.
    address: entry.address ?? entry.ip ?? "",
    port: entry.port,
    type: entry.candidateType,
  };

export const summary = (report) => {
  const entries = [...report.values()];
  const ofType = (type) => entries.filter((entry) => entry.type === type);
  const pairs = ofType("candidate-pair");
  const pair =
    ofType("transport").map((transport) => report.get(transport.selectedCandidatePairId)).find(Boolean) ??
    pairs.find(({ selected }) => selected) ??
    pairs.find(({ nominated, state }) => nominated && state === "succeeded");
  const sum = (name) => ofType("data-channel").reduce((total, channel) => total + (channel[name] ?? 0), 0);
  return {
    pair: pair && {
      local: candidate(report.get(pair.localCandidateId)),
      remote: candidate(report.get(pair.remoteCandidateId)),
    },
    roundTrip: pair?.currentRoundTripTime * 1e3 || undefined,
    bytesSent: pair?.bytesSent,
    bytesReceived: pair?.bytesReceived,
    messagesSent: sum("messagesSent"),
    messagesReceived: sum("messagesReceived"),
    report,
  };
};
