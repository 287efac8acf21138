// Notes the order in which steps become done, however quickly they follow each other.
window.notedSteps = [];
const note = (records) => {
  for (const { target } of records) {
    if (!target.matches("#steps > li[data-state=done]")) continue;
    if (!window.notedSteps.includes(target.dataset.step)) window.notedSteps.push(target.dataset.step);
  }
};
const options = { subtree: true, attributeFilter: ["data-state"] };
new MutationObserver(note).observe(document.querySelector("#steps"), options);
