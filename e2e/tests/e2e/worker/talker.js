// A worker that talks over what it is given: a channel, or the streams of one. Tells the page what it hears.

let last;

const overChannel = ({ label, channel }) => {
  last = channel;
  channel.onopen = () => channel.send(`${label} from the worker`);
  channel.onmessage = ({ data }) => postMessage(data);
  channel.onclose = () => postMessage("closed");
};

const overStreams = async ([readable, writable]) => {
  await writable.getWriter().write("streams from the worker");
  const { value } = await readable.getReader().read();
  postMessage(value);
};

onmessage = ({ data }) => {
  if (typeof data === "string") last.send(data);
  else if (data.channel) overChannel(data);
  else overStreams(data);
};
