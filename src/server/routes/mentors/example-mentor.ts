/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

/** The mentor of the API page's examples: an engineer of tidal turbines. */
export const EXAMPLE_MENTOR_ID = 'noor'

/** The header, the first rows and one off-topic reply of `examples/mentor.csv`. */
export const EXAMPLE_MENTOR_CSV = `id,question,paraphrases,answer,topic
intro-name,What is your name?,Who are you?|What should I call you?|Can you tell me your name?,"I'm Noor Halvorsen. Most people on the water call me Noor, and the divers call me Boss when they want something.",About me
intro-job,What do you do for a living?,What is your job?|What do you work as?|What's your profession?,"I'm a tidal energy engineer. I look after turbines that stand on the sea bed and make electricity from the tide, and I lead the team that installs and repairs them.",About me|Tidal energy
intro-home,Where do you live?,Where is home for you?|What town are you in?|Where are you based?,"I live in Stromness, in Orkney, in a stone house close enough to the harbour that I can see our boat from the kitchen.",About me
intro-grew-up,Where did you grow up?,Where are you from originally?|Where did you spend your childhood?|Where were you born?,"I was born in Lagos and moved to Bergen when I was six. My mother is Nigerian and my father is Norwegian, so I grew up with two ideas of what cold means.",About me|Family
intro-family,Do you have a family?,Are you married?|Do you have children?|Tell me about your family.,"I have a husband, Tomas, who teaches music, and twin daughters who are nine. They think turbines are less interesting than seals, and they may be right.",Family
intro-hobbies,What do you do in your free time?,What are your hobbies?|What do you do for fun?|How do you relax after work?,"I play the fiddle badly in a good band, and I swim in the sea all year with four other women who also should know better.",About me
intro-languages,Which languages do you speak?,How many languages do you know?|Do you speak Norwegian?|Are you bilingual?,"Norwegian, English and Yoruba, in that order, and enough Portuguese to order spare parts.",About me
intro-age,How old are you?,What is your age?|When is your birthday?|What year were you born in?,I turned forty-three in March. I have worked at sea for nineteen of those years.,About me
say-off-topic-1,_OFF_TOPIC_,,"That one is outside my waters. Ask me about tidal energy, engineering or how I got here.",
`

/** The same mentor as JSON, with fewer answers. */
export const EXAMPLE_MENTOR = {
  name: 'Noor Halvorsen',
  mentorType: 'CHAT',
  questions: [
    { question: { _id: 'q-intro-name' }, topics: [{ name: 'About me' }] },
    { question: { _id: 'q-intro-home' }, topics: [{ name: 'About me' }] },
    { question: { _id: 'q-intro-age' }, topics: [{ name: 'About me' }] }
  ],
  answers: [
    {
      _id: 'intro-name',
      status: 'COMPLETE',
      transcript:
        "I'm Noor Halvorsen. Most people on the water call me Noor, and the divers call me Boss when they want something.",
      question: {
        _id: 'q-intro-name',
        question: 'What is your name?',
        type: 'QUESTION',
        paraphrases: ['Who are you?', 'What should I call you?', 'Can you tell me your name?']
      }
    },
    {
      _id: 'intro-home',
      status: 'COMPLETE',
      transcript:
        'I live in Stromness, in Orkney, in a stone house close enough to the harbour that I can see our boat from the kitchen.',
      question: {
        _id: 'q-intro-home',
        question: 'Where do you live?',
        type: 'QUESTION',
        paraphrases: ['Where is home for you?', 'What town are you in?', 'Where are you based?']
      }
    },
    {
      _id: 'intro-age',
      status: 'COMPLETE',
      transcript: 'I turned forty-three in March. I have worked at sea for nineteen of those years.',
      question: {
        _id: 'q-intro-age',
        question: 'How old are you?',
        type: 'QUESTION',
        paraphrases: ['What is your age?', 'When is your birthday?', 'What year were you born in?']
      }
    },
    {
      _id: 'say-off-topic-1',
      status: 'COMPLETE',
      transcript: 'That one is outside my waters. Ask me about tidal energy, engineering or how I got here.',
      question: {
        _id: 'q-say-off-topic-1',
        question: 'Off topic',
        type: 'UTTERANCE',
        name: '_OFF_TOPIC_',
        paraphrases: []
      }
    }
  ]
}

/** Questions to evaluate the mentor's model with, each with the id of the right answer, or none if it is off topic. */
export const EXAMPLE_TEST_CSV = `question,answer
Which town do you call home these days?,intro-home
What do people call you?,intro-name
What is the best recipe for lasagne?,
`
